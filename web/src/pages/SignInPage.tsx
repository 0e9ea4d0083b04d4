import './sign-in.css';
import { IconCamera, IconEye, IconShieldCheck } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useLocation } from 'wouter';
import type { Role } from '../../../src/domain/access.ts';
import { asApiError } from '../api/api-error.ts';
import { requestDemoToken } from '../api/client.ts';
import { setSession } from '../api/session.ts';
import { queryClient } from '../app/query-client.ts';
import { useTitle } from '../app/use-title.ts';

interface Identity {
  readonly userId: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly does: string;
  readonly home: string;
  readonly icon: ReactNode;
}

const IDENTITIES: readonly Identity[] = [
  {
    userId: 'demo-seller',
    name: 'Demo seller',
    roles: ['seller'],
    does: 'Creates listings and adds photos to them.',
    home: '/sell',
    icon: <IconCamera size={26} stroke={1.5} aria-hidden />,
  },
  {
    userId: 'demo-buyer',
    name: 'Demo buyer',
    roles: [],
    does: 'Looks at listings, sees only what is public.',
    home: '/',
    icon: <IconEye size={26} stroke={1.5} aria-hidden />,
  },
  {
    userId: 'demo-moderator',
    name: 'Demo moderator',
    roles: ['moderator', 'admin'],
    does: 'Decides about photos that wait for a person.',
    home: '/review',
    icon: <IconShieldCheck size={26} stroke={1.5} aria-hidden />,
  },
];

/** Demo identities while the service runs without LocalEx's sign-in; a sentence about it otherwise. */
export function SignInPage() {
  useTitle('Sign in');
  const [location, navigate] = useLocation();
  const [problem, setProblem] = useState<string | null>(null);
  const choose = async (identity: Identity) => {
    setProblem(null);
    try {
      const token = await requestDemoToken(identity.userId, identity.roles);
      const { userId, name, roles } = identity;
      queryClient.clear();
      setSession({ userId, name, roles: [...roles], token });
      navigate(location === '/sign-in' || identity.home === '/' ? identity.home : location);
    } catch (error) {
      const { code, message } = asApiError(error);
      setProblem(
        code === 'NOT_FOUND' ? 'Signing in is done by LocalEx here. Open this page from the app.' : message,
      );
    }
  };
  return (
    <div className="sign-in">
      <h1>Sign in</h1>
      <p className="soft">
        This service runs for trying out: choose who you want to be. No password, no account.
      </p>
      <ul className="sign-in__list">
        {IDENTITIES.map((identity) => (
          <li key={identity.userId}>
            <button type="button" className="sign-in__choice" onClick={() => void choose(identity)}>
              <span className="sign-in__icon">{identity.icon}</span>
              <span>
                <strong>{identity.name}</strong>
                <span className="soft small">{identity.does}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      <p role="alert" className="sign-in__problem">
        {problem}
      </p>
    </div>
  );
}
