/** Makes an element: text is never read as HTML. */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

export const text = (content) => element('p', { className: 'muted', textContent: content });
export const picture = (image, className = '') => image && element('img', { src: image.url, alt: image.altText, className });
export const person = ({ name, avatar }) => element('div', { className: 'person' }, picture(avatar), element('span', { textContent: name }));
