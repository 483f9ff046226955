using System.Net;
using System.Net.Sockets;

namespace Mesh.DataPlane.Transports;

/// <summary>
/// Connects to a host that has several addresses: to the first, to the next at once when that fails and beside it when it takes long, and so on; whichever
/// connection is there first is taken, and the others are given up (RFC 8305, section 5; Envoy's Happy Eyeballs).
/// </summary>
internal static class ConnectionRace
{
    /// <summary>How long an address has to itself; Envoy's.</summary>
    public static readonly TimeSpan Stagger = TimeSpan.FromMilliseconds(300);

    /// <param name="addresses">In the order in which they are tried, at least one.</param>
    /// <param name="connect">Connects to one of them.</param>
    /// <param name="time">When the next is tried.</param>
    /// <param name="cancellationToken">Gives all of them up.</param>
    /// <exception cref="SocketException">None of them is there: how the first failed.</exception>
    public static async ValueTask<Socket> RunAsync(
        IReadOnlyList<IPEndPoint> addresses, Func<IPEndPoint, CancellationToken, Task<Socket>> connect, TimeProvider time, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = new List<Task<Socket>>();
        Exception? failure = null;
        try
        {
            for (var next = 0; ;)
            {
                // 1. One more, and its time.
                Task? patience = null;
                if (next < addresses.Count)
                {
                    running.Add(connect(addresses[next++], over.Token));
                    patience = next < addresses.Count ? Task.Delay(Stagger, time, over.Token) : null;
                }

                // 2. Until it is over, or one has failed, or one is there.
                var first = await Task.WhenAny(running).WaitForAsync(patience).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                if (first is null)
                {
                    continue;
                }

                running.Remove(first);
                if (first.IsCompletedSuccessfully)
                {
                    return first.Result;
                }

                failure ??= first.Exception!.InnerException!;
                if (running.Count == 0 && next == addresses.Count)
                {
                    System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
                }
            }
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            foreach (var loser in running)
            {
                _ = DropAsync(loser);
            }
        }
    }

    // Without another address there is nothing to wait for but the connections themselves.
    private static async Task<Task<Socket>?> WaitForAsync(this Task<Task<Socket>> connected, Task? patience)
        => patience is null || await Task.WhenAny(connected, patience).ConfigureAwait(false) == connected ? await connected.ConfigureAwait(false) : null;

    private static async Task DropAsync(Task<Socket> loser)
    {
        try
        {
            (await loser.ConfigureAwait(false)).Dispose();
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Nobody is waiting for it any more.
        }
    }
}
