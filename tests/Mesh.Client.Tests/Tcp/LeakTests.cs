using System.Runtime.CompilerServices;

namespace Mesh.Client.Tests.Tcp;

/// <summary>Whatever becomes of connections, nothing of them is left.</summary>
public sealed class LeakTests
{
    [Fact]
    public async Task A_thousand_connections_that_nobody_disposes_are_counted_off_in_the_end()
    {
        await using var server = new LineServer();
        await using var mesh = ClientMesh.Create().ServeTcp("mysql", server.Port);

        for (var i = 0; i < 10; i++)
        {
            await LoseAsync(mesh, 100);
        }

        await Hang.Until(() =>
        {
            // What a finalizer hands to the thread pool is done when it is its turn, and what it gives back it gives back bit by bit.
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return mesh.HoldsNothing();
        });

        mesh.ShouldHoldNothing();
        (await server.AcceptedAsync(1000)).ShouldBe(1000);
    }

    [Fact]
    public async Task A_thousand_connections_closed_at_every_moment_leave_nothing()
    {
        await using var server = new LineServer();
        await using var mesh = ClientMesh.Create().ServeTcp("mysql", server.Port);

        await Parallel.ForEachAsync(Enumerable.Range(0, 1000), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            using var cancelled = new CancellationTokenSource();
            try
            {
                var connecting = mesh.Connector().ConnectAsync(TcpRules.Host, 3306, cancelled.Token);
                if (i % 4 == 0)
                {
                    await cancelled.CancelAsync();
                }

                var driver = new LineDriver(await connecting);
                switch (i % 4)
                {
                    case 1:
                        await driver.DisposeAsync();
                        break;
                    case 2:
                        // Disposed while somebody reads.
                        var reading = driver.Stream.ReadAsync(new byte[1]).AsTask();
                        await driver.DisposeAsync();
                        await Should.ThrowAsync<Exception>(reading.Within());
                        break;
                    case 3:
                        await driver.SendAsync("DROP");
                        await Should.ThrowAsync<IOException>(driver.ReadLineAsync());
                        break;
                    default:
                        await driver.DisposeAsync();
                        await driver.DisposeAsync();
                        break;
                }
            }
            catch (OperationCanceledException) when (cancelled.IsCancellationRequested)
            {
                // It was still being made.
            }
        });

        mesh.ShouldHoldNothing();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task LoseAsync(ClientMesh mesh, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await mesh.Connector().ConnectAsync(TcpRules.Host, 3306);
        }
    }
}
