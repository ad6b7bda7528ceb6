/** The sign of the house: a square stamp with a rule under a sum. */
export function Mark({ className }: { className?: string }) {
  return (
    <svg
      viewBox="0 0 20 20"
      width="20"
      height="20"
      aria-hidden="true"
      focusable="false"
      className={className}
    >
      <rect width="20" height="20" rx="5" className="fill-accent" />
      <path
        d="M6.75 11.75v-7h3.5a2.4 2.4 0 0 1 0 4.8h-3.5M5 14.75h10"
        fill="none"
        strokeWidth="1.6"
        strokeLinecap="round"
        strokeLinejoin="round"
        className="stroke-on-accent"
      />
    </svg>
  )
}
