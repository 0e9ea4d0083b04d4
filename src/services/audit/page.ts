/** Rows of the ledger that are read in one step: memory stays bounded, however long it is. */
export const PAGE = 1000;
