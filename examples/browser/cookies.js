import { signIn, signOut, viewer } from './api.js';

const [form, section, alert] = ['form', 'section', '[role=alert]'].map((selector) => document.querySelector(selector));

async function show() {
  const user = await viewer();
  form.hidden = user !== null;
  section.hidden = user === null;
  section.querySelector('strong').textContent = user ? `${user.name} (${user.email})` : '';
}

async function attempt(work) {
  alert.textContent = '';
  try {
    await work();
    await show();
  } catch (error) {
    alert.textContent = error.message;
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  attempt(() => signIn(form.email.value, form.password.value));
});
section.querySelector('button').addEventListener('click', () => attempt(signOut));
attempt(() => {});
