/** The portico, Lyceum's mark; the same drawing is the favicon in index.html. */
export function Mark({ size }) {
  return (
    <svg className="mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M16 6 5.5 11.5V14h21v-2.5zM8 15.5h3V23H8zm6.5 0h3V23h-3zm6.5 0h3V23h-3zM6 24.5h20V27H6z" />
    </svg>
  );
}
