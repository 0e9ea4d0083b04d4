import './account.css';
import { Button } from '@mantine/core';
import { IconUser } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { useLocation } from 'wouter';
import { isUnfinished } from '../../../src/domain/file-state.ts';
import { asApiError } from '../api/api-error.ts';
import { deleteProfilePhoto, getProfilePhoto, putProfilePhoto } from '../api/endpoints.ts';
import { type Session, setSession } from '../api/session.ts';
import { showToast } from '../app/toast-store.ts';
import { useTitle } from '../app/use-title.ts';
import { ErrorNotice } from '../components/Notices.tsx';
import { PhotoImage } from '../components/PhotoImage.tsx';
import { adviceFor } from '../upload/advice.ts';
import { prepareFile } from '../upload/prepare.ts';
import { RefusedHere } from '../upload/refused-here.ts';
import { stageWords } from '../upload/stage-words.ts';

/** Who is signed in, and their profile photo. */
export default function AccountPage({ session }: { session: Session }) {
  useTitle('Account');
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const picker = useRef<HTMLInputElement>(null);
  const key = ['profile', session.userId];
  const query = useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => {
      try {
        return await getProfilePhoto(session.userId, signal);
      } catch (error) {
        if (asApiError(error).code === 'NOT_FOUND') return null;
        throw error;
      }
    },
    refetchInterval: ({ state }) => (state.data && isUnfinished(state.data.state) ? 1_000 : false),
  });
  const upload = useMutation({
    mutationFn: async (file: File) => {
      const { blob, name } = await prepareFile(file);
      return putProfilePhoto(session.userId, blob, name);
    },
    onSuccess: (photo) => client.setQueryData(key, photo),
    onError: (error) => complain(error),
  });
  const remove = useMutation({
    mutationFn: () => deleteProfilePhoto(session.userId),
    onSuccess: () => client.setQueryData(key, null),
    onError: (error) => complain(error),
  });
  const photo = query.data ?? null;
  const hasPicture = photo?.variants.thumbnail !== undefined;
  return (
    <div className="account">
      <h1>Account</h1>
      {query.isError && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
      <section className="panel account__photo" aria-label="Profile photo">
        <span className="account__frame">
          {photo && hasPicture ? (
            <PhotoImage key={photo.id} photo={photo} alt="Your profile photo" sizes="128px" eager />
          ) : (
            <IconUser size={56} stroke={1.2} aria-hidden />
          )}
        </span>
        <div className="account__words">
          <h2>{session.name}</h2>
          <p className="soft small" aria-live="polite">
            {upload.isPending ? 'Sending your photo' : describe(photo?.state ?? null, photo?.stage ?? null)}
          </p>
          <div className="row">
            <Button loading={upload.isPending} onClick={() => picker.current?.click()}>
              {photo ? 'Change photo' : 'Add a photo'}
            </Button>
            {photo && (
              <Button variant="default" loading={remove.isPending} onClick={() => remove.mutate()}>
                Remove
              </Button>
            )}
          </div>
          <input
            ref={picker}
            type="file"
            accept="image/*"
            hidden
            aria-label="Choose a profile photo"
            onChange={(event) => {
              const file = event.currentTarget.files?.[0];
              if (file) upload.mutate(file);
              event.currentTarget.value = '';
            }}
          />
        </div>
      </section>
      <Button
        variant="default"
        onClick={() => {
          setSession(null);
          client.clear();
          navigate('/');
        }}
      >
        Sign out
      </Button>
    </div>
  );
}

type Described = Parameters<typeof stageWords>;
function describe(state: Described[0] | null, stage: Described[1]): string {
  if (state === null) return 'A photo of you helps people to trust you.';
  return state === 'ready' ? 'People see it beside your listings.' : stageWords(state, stage);
}

function complain(error: unknown): void {
  const advice = adviceFor(error instanceof RefusedHere ? error.code : asApiError(error).code);
  showToast(`${advice.what} ${advice.next}`, { tone: 'bad', ms: 10_000 });
}
