export const BLUR_SETTINGS = ['disturbing', 'always', 'never'] as const;
/** Which photos are blurred until somebody looks at them on purpose. */
export type BlurSetting = (typeof BLUR_SETTINGS)[number];

const KEY = 'localex-review-blur';

/** What this browser was told to blur. */
export function readBlur(): BlurSetting {
  try {
    const kept = localStorage.getItem(KEY);
    return BLUR_SETTINGS.find((setting) => setting === kept) ?? 'disturbing';
  } catch {
    return 'disturbing';
  }
}

export function keepBlur(setting: BlurSetting): void {
  try {
    localStorage.setItem(KEY, setting);
  } catch {
    // A browser that keeps nothing starts over next time.
  }
}
