using System.Runtime.InteropServices;

namespace Quilt.Cli;

/// <summary>
/// Ctrl-C and the system's request to end. The first one cancels what runs, so that files are finished or removed; the second one ends the process at
/// once.
/// </summary>
internal sealed class Interrupt : IDisposable
{
    private static readonly Lock Gate = new();
    private static CancellationTokenSource? answer;
    private readonly CancellationTokenSource all = new();
    private readonly PosixSignalRegistration[] registrations;

    public Interrupt()
    {
        registrations = [PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle)];
    }

    /// <summary>Cancelled at the first signal.</summary>
    public CancellationToken Token => all.Token;

    /// <summary>
    /// Until the result is disposed, Ctrl-C cancels only <paramref name="source"/>: the answer that is being written, not the conversation.
    /// </summary>
    public static IDisposable Only(CancellationTokenSource source)
    {
        lock (Gate) answer = source;
        return new Scope();
    }

    public void Dispose()
    {
        foreach (var registration in registrations) registration.Dispose();
        all.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        lock (Gate)
        {
            if (answer is { IsCancellationRequested: false } && context.Signal == PosixSignal.SIGINT)
            {
                context.Cancel = true;
                answer.Cancel();
                return;
            }
        }
        if (all.IsCancellationRequested) return;
        context.Cancel = true;
        all.Cancel();
    }

    private sealed class Scope : IDisposable
    {
        public void Dispose()
        {
            lock (Gate) answer = null;
        }
    }
}
