/** The width that a figure has to draw in, in CSS pixels. */
import { useEffect, useRef, useState } from 'preact/hooks';

/** @returns a reference for the element, and its width; 0 until it is known */
export function useWidth<E extends Element>() {
  const element = useRef<E>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return [element, width] as const;
}
