import { useEffect, useRef, useState } from 'react';
import { Mark } from './Mark.jsx';
import { signIn } from './session.js';

export function SignIn({ notice, email, onEnter }) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState(null);
  const emailInput = useRef(null);
  const passwordInput = useRef(null);

  useEffect(() => {
    (email ? passwordInput : emailInput).current.focus();
  }, [email]);

  // Most failures are mistyped passwords, so that field is selected unless the server named the other.
  useEffect(() => {
    if (failure) (failure.field === 'email' ? emailInput : passwordInput).current.select();
  }, [failure]);

  async function submit(event) {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setFailure(null);
    try {
      onEnter(await signIn(emailInput.current.value.trim(), passwordInput.current.value));
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  }

  const invalid = (field) => ({
    'aria-invalid': failure?.field === field,
    'aria-describedby': failure ? 'sign-in-failure' : undefined,
  });

  return (
    <div className="gate">
      <form className="card" onSubmit={submit} aria-labelledby="sign-in-title" aria-busy={busy}>
        <Mark size={44} />
        <h1 id="sign-in-title">Lyceum console</h1>
        <p className="lead">Sign in with an administrator’s account.</p>
        {notice && (
          <p className="notice" role="status">
            {notice}
          </p>
        )}
        <label htmlFor="email">E-mail</label>
        <input id="email" name="email" type="email" autoComplete="username" required
          spellCheck={false} defaultValue={email} ref={emailInput} {...invalid('email')} />
        <label htmlFor="password">Password</label>
        <input id="password" name="password" type="password" autoComplete="current-password" required
          ref={passwordInput} {...invalid('password')} />
        {/* Always there, so that screen readers announce what appears in it. */}
        <p className="failure" id="sign-in-failure" role="alert">
          {failure?.message}
        </p>
        <button type="submit" aria-disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </div>
  );
}
