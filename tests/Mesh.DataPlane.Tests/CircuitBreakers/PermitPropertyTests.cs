using FsCheck;
using FsCheck.Fluent;
using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Tests.CircuitBreakers;

public class PermitPropertyTests
{
    private const int Hosts = 3;

    [Fact]
    public void Permits_always_return_and_limits_always_hold()
        => Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(2000),
            Prop.ForAll(Arb.From(Gen.ListOf(Gen.Choose(0, int.MaxValue - 1))), steps => Run([.. steps])));

    [Fact]
    public async Task Permits_always_return_when_many_enter_leave_and_give_up_at_once()
    {
        var breaker = new CircuitBreaker(RoutingPriority.Default, new ClusterStats());
        EndpointState[] hosts = [CircuitBreakerTests.Host(), CircuitBreakerTests.Host()];
        var entered = 0;
        var most = 0;
        var now = 0;
        breaker.Limits = new Thresholds { MaxConnections = 3, MaxPendingRequests = 8 };
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(() => WorkAsync(new Random(worker)))));

        CircuitBreakerTests.ShouldBeIdle(breaker);
        entered.ShouldBeGreaterThan(0);
        most.ShouldBeLessThanOrEqualTo(3 + 1); // the limit, and the one that a host may always have
        async Task WorkAsync(Random random)
        {
            for (var i = 0; i < 5000; i++)
            {
                var host = hosts[random.Next(hosts.Length)];
                using var cancellation = new CancellationTokenSource();
                if (!breaker.TryEnter(host, multiplexed: false, out var overflow))
                {
                    overflow.ShouldBeNull();
                    var waiting = breaker.EnterAsync(host, cancellation.Token);
                    if (random.Next(3) == 0)
                    {
                        cancellation.Cancel();
                    }

                    try
                    {
                        if (await waiting is not null)
                        {
                            continue;
                        }
                    }
                    catch (OperationCanceledException)
                    {
                        continue;
                    }
                }

                Interlocked.Increment(ref entered);
                InterlockedMax(ref most, Interlocked.Increment(ref now));
                if (random.Next(4) == 0)
                {
                    await Task.Yield();
                }

                Interlocked.Decrement(ref now);
                breaker.Exit(host, multiplexed: false);
            }
        }
    }

    private static bool Run(int[] steps)
    {
        var breaker = new CircuitBreaker(RoutingPriority.Default, new ClusterStats());
        var hosts = Enumerable.Range(0, Hosts).Select(_ => CircuitBreakerTests.Host()).ToArray();
        var held = new List<(EndpointState Host, bool Multiplexed)>();
        var waiting = new List<(EndpointState Host, Task<DataPlane.Upstream.LocalReply?> Task, CancellationTokenSource Cancellation)>();
        var highest = new Thresholds { MaxConnections = 2, MaxPendingRequests = 3, MaxRequests = 4 };
        breaker.Limits = highest;
        foreach (var step in steps)
        {
            var host = hosts[step / 16 % Hosts];
            var which = step / 64;
            switch (step % 16)
            {
                case < 6:
                    Enter(host);
                    break;
                case 6:
                    if (breaker.TryEnter(host, multiplexed: true, out _))
                    {
                        held.Add((host, true));
                    }

                    break;
                case < 12 when held.Count > 0:
                    var (leaving, multiplexed) = held[which % held.Count];
                    held.RemoveAt(which % held.Count);
                    breaker.Exit(leaving, multiplexed);
                    break;
                case < 14 when waiting.Count > 0:
                    waiting[which % waiting.Count].Cancellation.Cancel();
                    break;
                case >= 14:
                    breaker.Limits = new Thresholds
                    {
                        MaxConnections = (uint)(which % 4),
                        MaxPendingRequests = (uint)(which / 4 % 4),
                        MaxRequests = (uint)(which / 16 % 6),
                        MaxConnectionsPerHost = which % 3 == 0 ? 1u : uint.MaxValue,
                    };
                    break;
            }

            Settle();
            if (breaker.ActiveRequests != held.Count || breaker.ActiveConnections != held.Count(h => !h.Multiplexed) || breaker.PendingRequests != waiting.Count)
            {
                return false;
            }

            // Nobody waits for a host that has room: nothing would ever wake him.
            if (waiting.Any(w => !held.Any(h => h.Host == w.Host && !h.Multiplexed)))
            {
                return false;
            }

            var limits = breaker.Limits;
            if (limits.MaxConnectionsPerHost == uint.MaxValue && waiting.Count > 0 && breaker.ActiveConnections < limits.MaxConnections)
            {
                return false;
            }
        }

        // All leave, until nobody is left: those who wait get their turn by it.
        while (held.Count > 0)
        {
            var (leaving, multiplexed) = held[^1];
            held.RemoveAt(held.Count - 1);
            breaker.Exit(leaving, multiplexed);
            Settle();
        }

        return waiting.Count == 0 && breaker is { ActiveRequests: 0, ActiveConnections: 0, PendingRequests: 0 };

        void Enter(EndpointState host)
        {
            if (breaker.TryEnter(host, multiplexed: false, out var overflow))
            {
                held.Add((host, false));
            }
            else if (overflow is null)
            {
                var cancellation = new CancellationTokenSource();
                waiting.Add((host, breaker.EnterAsync(host, cancellation.Token).AsTask(), cancellation));
            }
        }

        void Settle()
        {
            // Continuations run elsewhere, but the task of a wait that is over completes soon: how many wait is known to the breaker.
            SpinWait.SpinUntil(() => waiting.Count(w => !w.Task.IsCompleted) == breaker.PendingRequests);
            foreach (var over in waiting.Where(w => w.Task.IsCompleted).ToArray())
            {
                waiting.Remove(over);
                if (over.Task.IsCompletedSuccessfully && over.Task.Result is null)
                {
                    held.Add((over.Host, false));
                }
            }
        }
    }

    private static void InterlockedMax(ref int target, int value)
    {
        var seen = Volatile.Read(ref target);
        while (seen < value)
        {
            seen = Interlocked.CompareExchange(ref target, value, seen) is var before && before == seen ? value : before;
        }
    }
}
