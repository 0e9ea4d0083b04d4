import './search.css';
import { IconCrop11, IconCropLandscape, IconCropPortrait } from '@tabler/icons-react';
import { COLORS } from '../../../src/domain/colors.ts';
import { ORIENTATIONS } from '../../../src/domain/photo-document.ts';
import type { PhotoSearch } from '../api/endpoints.ts';

const SHAPES = {
  landscape: <IconCropLandscape size={20} aria-hidden />,
  portrait: <IconCropPortrait size={20} aria-hidden />,
  square: <IconCrop11 size={20} aria-hidden />,
} as const;

interface SearchFiltersProps {
  readonly search: PhotoSearch;
  /** Null: it no longer matters. */
  readonly onChange: (name: 'color' | 'orientation', value: string | null) => void;
}

/** Color and shape of photos; a second press on what is chosen takes it back. */
export function SearchFilters({ search, onChange }: SearchFiltersProps) {
  return (
    <div className="filters">
      <fieldset className="filters__group">
        <legend>Color</legend>
        {COLORS.map((color) => (
          <button
            key={color}
            type="button"
            className={`swatch swatch--${color}`}
            aria-label={color}
            title={color}
            aria-pressed={search.color === color}
            onClick={() => onChange('color', search.color === color ? null : color)}
          />
        ))}
      </fieldset>
      <fieldset className="filters__group">
        <legend>Shape</legend>
        {ORIENTATIONS.map((shape) => (
          <button
            key={shape}
            type="button"
            className="shape"
            aria-pressed={search.orientation === shape}
            onClick={() => onChange('orientation', search.orientation === shape ? null : shape)}
          >
            {SHAPES[shape]}
            {shape}
          </button>
        ))}
      </fieldset>
    </div>
  );
}
