import { cookies } from 'next/headers';
import { ACCESS, keep, signIn, signOut } from '../../lyceum.js';

/** Signs in, or out: the target of the form. It works without a script in the browser. */
export async function POST(request) {
  // A form of another site must not sign anybody in or out.
  const origin = request.headers.get('origin');
  if (origin && new URL(origin).host !== request.headers.get('host')) return new Response('Forbidden', { status: 403 });
  const [form, jar] = [await request.formData(), await cookies()];
  if (form.has('leave')) {
    await signOut(jar.get(ACCESS)?.value);
    keep(jar, null);
    return home();
  }
  const { tokens, error } = await signIn(form.get('email'), form.get('password'), request.headers.get('user-agent'));
  if (tokens) keep(jar, tokens);
  return home(error);
}

const home = (error) =>
  new Response(null, { status: 303, headers: { location: error ? `/?error=${encodeURIComponent(error)}` : '/' } });
