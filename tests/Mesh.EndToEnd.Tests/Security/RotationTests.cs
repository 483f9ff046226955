using System.Security.Cryptography.X509Certificates;
using Mesh.ControlPlane;
using Mesh.EndToEnd.Tests.Lab;
using Xunit.Abstractions;

namespace Mesh.EndToEnd.Tests.Security;

/// <summary>
/// Certificates of both ends, and the root that signs them, are renewed by the control plane's authority while requests run: nobody notices.
/// </summary>
/// <remarks>
/// What is counted are handshakes of the client's end. Connections end for two reasons that are no rotation: an application's own (here a limit of
/// requests), and age (none outlives its certificates; it ends between 0.5 and 0.9 of what they had left). So there are two measures. The first is
/// against the same run with certificates that outlast it, in which nothing is renewed and nothing ages: for as many requests it may have no
/// fewer than 1/1.2 of the handshakes. The second leaves the connections alone and asks of each of them why it has ended: one that has ended
/// younger than age asks was ended by a rotation.
/// </remarks>
public sealed class RotationTests(ITestOutputHelper output)
{
    private const int Rotations = 60;

    // So many that there are dozens of connections, and each lives through one or two of them.
    private const int RotationsOfConnections = 20;

    // Four callers, so two and more on each connection between two leaps: connections of ordinary traffic last for some four hours of this clock.
    private const int Requests = 8;
    private const int RequestsPerConnection = 10;

    [Fact]
    public async Task Sixty_rotations_at_both_ends_under_load_cost_no_request_and_hardly_a_handshake()
    {
        var with = await RunAsync(Rotated(Rotations), requestsPerConnection: RequestsPerConnection);
        var without = await RunAsync(For(with.Leaps), requestsPerConnection: RequestsPerConnection, lifetime: TimeSpan.FromDays(90));

        without.Rotations.ShouldBe(0);
        with.HandshakesPerRequest.ShouldBeLessThanOrEqualTo(without.HandshakesPerRequest * 1.2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_rotation_ends_no_connection_and_none_outlives_its_certificates(bool http2)
    {
        var run = await RunAsync(Rotated(RotationsOfConnections), http2);

        ShouldHaveEndedByAge(run.Connections);
    }

    [Fact]
    public async Task A_root_is_replaced_under_load_and_that_costs_no_request_and_hardly_a_handshake()
    {
        var with = await RunAsync(RootReplaced(), requestsPerConnection: RequestsPerConnection);
        var without = await RunAsync(For(with.Leaps), requestsPerConnection: RequestsPerConnection);

        with.HandshakesPerRequest.ShouldBeLessThanOrEqualTo(without.HandshakesPerRequest * 1.2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_root_that_is_replaced_ends_no_connection(bool http2)
    {
        var run = await RunAsync(RootReplaced(), http2);

        ShouldHaveEndedByAge(run.Connections);
        var signers = run.Connections.OrderBy(connection => connection.Made).Select(connection => IsSignedBy(run.Roots, connection.Certificate)).ToList();
        (signers[0], signers[^1]).ShouldBe((false, true));
    }

    private static Func<RotationMesh, Progress, bool> Rotated(int times) => (_, progress) => progress.Rotations == times;

    private static Func<RotationMesh, Progress, bool> For(int leaps) => (_, progress) => progress.Leaps == leaps;

    // Announced for 24 hours, then trusted beside the new one for as long as certificates last. A day later all connections are by the new one.
    private static Func<RotationMesh, Progress, bool> RootReplaced()
    {
        var (stages, ended) = (new List<RootRotation>(), 0);
        return (mesh, progress) =>
        {
            if (progress.Leaps == 0)
            {
                mesh.Authority.BeginRootRotation();
            }

            if (stages.Count == 0 || stages[^1] != mesh.Authority.Rotation)
            {
                stages.Add(mesh.Authority.Rotation);
                ended = progress.Leaps;
            }

            return stages is [RootRotation.Announced, RootRotation.Overlap, RootRotation.None] && progress.Leaps - ended > TimeSpan.FromDays(1) / RotationMesh.Leap;
        };
    }

    private static bool IsSignedBy(string roots, X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = certificate.NotBefore.AddHours(1);
        chain.ChainPolicy.CustomTrustStore.ImportFromPem(roots);
        return chain.Build(certificate);
    }

    private void ShouldHaveEndedByAge(IReadOnlyCollection<RotationMesh.Connection> connections)
    {
        var ended = connections.Where(connection => connection.Closed is not null).ToList();
        output.WriteLine($"{connections.Count} connections for {RotationMesh.Callers} callers; they ended on average after {ended.Average(c => (c.Closed!.Value - c.Made).TotalHours):0.0} h");
        ended.Count.ShouldBeGreaterThan(connections.Count / 2);
        ended.Where(c => c.Closed - c.Made + RotationMesh.Leap < (c.UntilAtLeast - c.Made) * 0.5).ShouldBeEmpty("a rotation has ended them");

        // One that lay idle learns of its end by a response.
        connections.Where(c => c.LateRequests > 2).ShouldBeEmpty("they have outlived their certificates");
    }

    private async Task<Run> RunAsync(Func<RotationMesh, Progress, bool> until, bool http2 = false, int requestsPerConnection = 0, TimeSpan? lifetime = null)
    {
        await using var mesh = await RotationMesh.StartAsync(http2, requestsPerConnection, lifetime);
        await mesh.Load.MoreAsync(Requests);
        HashSet<string> servers = [], clients = [];
        Progress progress;
        for (var leap = 0; ; leap++)
        {
            servers.Add(RotationMesh.SerialOf(mesh.Server));
            clients.Add(RotationMesh.SerialOf(mesh.Client));
            progress = new Progress(leap, Math.Min(servers.Count, clients.Count) - 1);
            if (until(mesh, progress))
            {
                break;
            }

            leap.ShouldBeLessThan(2000, "nothing is renewed any more");
            await mesh.LeapAsync(Requests);
        }

        await mesh.Load.StopAsync(); // fails when a request has
        mesh.Log.Lines.Where(line => line.Contains("cannot be renewed", StringComparison.Ordinal)).ShouldBeEmpty();
        mesh.Refusals.ShouldBeEmpty();
        var run = new Run(progress.Leaps, progress.Rotations, mesh.Handshakes, mesh.Load.Requests, mesh.Connections, mesh.Authority.Roots);
        output.WriteLine($"{run.Leaps} leaps, {run.Rotations} rotations at each end, {run.Handshakes} handshakes, {run.Requests} requests");
        return run;
    }

    private readonly record struct Progress(int Leaps, int Rotations);

    private sealed record Run(
        int Leaps, int Rotations, long Handshakes, int Requests, IReadOnlyCollection<RotationMesh.Connection> Connections, string Roots)
    {
        public double HandshakesPerRequest => (double)Handshakes / Requests;
    }
}
