import { CASE_SOURCES, type CaseSource } from '../../../src/domain/review-case.ts';
import { BLUR_SETTINGS, type BlurSetting } from './blur-setting.ts';
import { SOURCE_WORDS } from './words.ts';

interface DeskToolsProps {
  readonly source: CaseSource | null;
  readonly blur: BlurSetting;
  readonly canUndo: boolean;
  readonly onSource: (source: CaseSource | null) => void;
  readonly onBlur: (blur: BlurSetting) => void;
  readonly onUndo: () => void;
}

const BLUR_WORDS: Readonly<Record<BlurSetting, string>> = {
  disturbing: 'Blur what may disturb',
  always: 'Blur every photo',
  never: 'Blur nothing',
};

/** What is shown of the queue, and how. */
export function DeskTools(props: DeskToolsProps) {
  return (
    <div className="row review__tools">
      <label>
        <span className="unseen">Show</span>
        <select
          value={props.source ?? ''}
          onChange={({ currentTarget }) =>
            props.onSource(CASE_SOURCES.find((source) => source === currentTarget.value) ?? null)
          }
        >
          <option value="">All reasons</option>
          {CASE_SOURCES.map((source) => (
            <option key={source} value={source}>
              {SOURCE_WORDS[source]}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span className="unseen">Blur</span>
        <select
          value={props.blur}
          onChange={({ currentTarget }) =>
            props.onBlur(BLUR_SETTINGS.find((setting) => setting === currentTarget.value) ?? 'disturbing')
          }
        >
          {BLUR_SETTINGS.map((setting) => (
            <option key={setting} value={setting}>
              {BLUR_WORDS[setting]}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        className="chip"
        aria-keyshortcuts="u"
        disabled={!props.canUndo}
        onClick={props.onUndo}
      >
        Undo
      </button>
      <p className="soft small review__keys">
        <kbd>A</kbd> approve <kbd>R</kbd> other words <kbd>1</kbd>–<kbd>O</kbd> reasons <kbd>U</kbd> undo{' '}
        <kbd>B</kbd> show <kbd>H</kbd> history <kbd>X</kbd> select <kbd>↑</kbd> <kbd>↓</kbd>
      </p>
    </div>
  );
}
