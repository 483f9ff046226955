using Mesh.TestNet;
using Mesh.Testing;

namespace Mesh.Client.Tests.Tls;

/// <summary>Certificates and authorities are renewed while requests run: none fails, and connections are not made anew for it.</summary>
public sealed class RotationTests
{
    private const int Rotations = 60;
    private const int Requests = 2400;
    private const int Callers = 4;

    // The servers' clock is the machine's: what ends here has not ended there.
    private static readonly DateTimeOffset Later = new(2090, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Sixty_rotations_under_load_cost_no_request_and_hardly_a_handshake(bool http2)
    {
        var without = await RunAsync(http2, (_, _, _) => { });
        var with = await RunAsync(http2, (world, server, number) =>
        {
            if (number % (Requests / Rotations) == 0)
            {
                world.Identity.Set(WorkloadCertificates.CertificateSecret(world.Root.IssueWorkload("productpage")));
                server.Show(world.Root.IssueWorkload("reviews"));
            }
        });

        without.Failures.ShouldBeEmpty();
        with.Failures.ShouldBeEmpty();
        with.Handshakes.ShouldBeLessThanOrEqualTo((int)(without.Handshakes * 1.2));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_root_is_replaced_under_load_with_both_trusted_for_a_while(bool http2)
    {
        using var next = new TestCertificateAuthority("Next");
        var without = await RunAsync(http2, (_, _, _) => { });
        var with = await RunAsync(http2, (world, server, number) =>
        {
            switch (number)
            {
                case Requests / 4:
                    world.Identity.Set(WorkloadCertificates.AuthoritiesSecret(world.Root, next));
                    server.Trust(world.Root, next);
                    break;
                case Requests / 2:
                    server.Show(next.IssueWorkload("reviews"));
                    world.Identity.Set(WorkloadCertificates.CertificateSecret(next.IssueWorkload("productpage")));
                    break;
                case Requests * 3 / 4:
                    world.Identity.Set(WorkloadCertificates.AuthoritiesSecret(next));
                    server.Trust(next);
                    break;
            }
        });

        with.Failures.ShouldBeEmpty();

        // HTTP/2 has one connection at a time, which the old root had vouched for.
        with.Handshakes.ShouldBeLessThanOrEqualTo((int)(without.Handshakes * 1.2) + (http2 ? 1 : 0));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_request_fails_while_connections_end_with_their_certificates(bool http2)
    {
        var time = new ManualTimeProvider(Later);
        var run = await RunAsync(
            http2,
            (world, _, number) =>
            {
                if (number % (Requests / Rotations) == 0)
                {
                    // One after the other: two leaps before a new certificate would outlive the old one.
                    lock (time)
                    {
                        time.Advance(TimeSpan.FromHours(12));
                        world.Identity.Set(WorkloadCertificates.CertificateSecret(world.Root.IssueWorkload("productpage", until: time.GetUtcNow().AddHours(24))));
                    }
                }
            },
            time);

        run.Failures.ShouldBeEmpty();
        run.Handshakes.ShouldBeGreaterThan(Rotations / 4, "connections last for a day at most");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_connection_ends_before_its_certificate_does(bool http2)
    {
        var time = new ManualTimeProvider(Later);
        await using var world = new MutualTlsWorld(time: time).Identify(until: time.GetUtcNow().AddHours(24));
        var server = await world.StartAsync(http2: http2);
        world.Serve(Configure(http2), server.Port);
        await GetAsync(3);
        time.Advance(TimeSpan.FromHours(11));
        await GetAsync(3);
        server.Handshakes.ShouldBe(1);
        world.Identify(until: time.GetUtcNow().AddHours(24));

        time.Advance(TimeSpan.FromHours(11));
        await GetAsync(6);

        server.Handshakes.ShouldBe(2);
        server.Seen[^1].Certificate.ShouldNotBe(server.Seen[0].Certificate);

        async Task GetAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                (await world.GetAsync()).Status.ShouldBe(200);
            }
        }
    }

    [Fact]
    public async Task A_new_connection_shows_the_new_certificate_at_once_and_an_old_one_stays()
    {
        await using var world = new MutualTlsWorld().Identify();
        var server = await world.StartAsync();
        world.Serve(MutualTlsWorld.Context(), server.Port);
        var (arrived, leave) = (new TaskCompletionSource(), new TaskCompletionSource());
        (await world.GetAsync()).Status.ShouldBe(200);

        world.Identify();
        server.Answer(async context =>
        {
            arrived.TrySetResult();
            await leave.Task;
        });
        var held = world.GetAsync();
        await arrived.Task.Within();
        server.Answer(_ => Task.CompletedTask);
        (await world.GetAsync()).Status.ShouldBe(200);
        leave.SetResult();
        (await held).Status.ShouldBe(200);

        server.Seen.Select(s => s.Connection).Distinct().Count().ShouldBe(2);
        server.Seen[1].Certificate.ShouldBe(server.Seen[0].Certificate);
        server.Seen[2].Certificate.ShouldNotBe(server.Seen[0].Certificate);
    }

    [Fact]
    public async Task A_root_that_is_not_trusted_any_more_takes_its_connections_with_it()
    {
        using var next = new TestCertificateAuthority("Next");
        await using var world = new MutualTlsWorld().Identify();
        var server = await world.StartAsync();
        world.Serve(MutualTlsWorld.Context(), server.Port);
        (await world.GetAsync()).Status.ShouldBe(200);

        world.Identity.Set(WorkloadCertificates.AuthoritiesSecret(next, world.Root));
        (await world.GetAsync()).Status.ShouldBe(200);
        server.Connections.ShouldBe(1, "what was trusted still is");

        world.Identity.Set(WorkloadCertificates.AuthoritiesSecret(next));
        var refused = await world.GetAsync();
        refused.Status.ShouldBe(503);
        refused.Body.ShouldContain("unable to get local issuer certificate");
        server.Seen.Count.ShouldBe(2);

        world.Identity.Set(WorkloadCertificates.AuthoritiesSecret(world.Root));
        (await world.GetAsync()).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Another_identity_has_connections_of_its_own()
    {
        await using var world = new MutualTlsWorld().Identify();
        var server = await world.StartAsync();
        world.Serve(MutualTlsWorld.Context(), server.Port);
        (await world.GetAsync()).Status.ShouldBe(200);

        world.Identify("ratings");
        (await world.GetAsync()).Status.ShouldBe(200);

        server.Seen.Select(s => s.Caller).ShouldBe([WorkloadCertificates.Account("productpage"), WorkloadCertificates.Account("ratings")]);
    }

    private static Action<Envoy.Config.Cluster.V3.Cluster> Configure(bool http2) => cluster =>
    {
        if (http2)
        {
            MutualTlsWorld.Http2(cluster);
        }

        cluster.TransportSocket = MutualTlsWorld.Socket(MutualTlsWorld.Context());
    };

    // HTTP/1.1 turns its connections over, so that there are handshakes to compare; HTTP/2 has one connection.
    private static async Task<(IReadOnlyList<string> Failures, int Handshakes)> RunAsync(
        bool http2, Action<MutualTlsWorld, WorkloadServer, int> onRequest, TimeProvider? time = null)
    {
        await using var world = new MutualTlsWorld(time: time).Identify(until: time?.GetUtcNow().AddHours(24));
        var server = await world.StartAsync(http2: http2);
        server.Answer(async context => await context.Request.Body.CopyToAsync(context.Response.Body));
        world.Serve(
            cluster =>
            {
                Configure(http2)(cluster);
                cluster.ConnectTimeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromDays(20)); // of a clock that leaps
                if (!http2 && time is null)
                {
                    OriginationWorld.Http(o => o.CommonHttpProtocolOptions = new() { MaxRequestsPerConnection = 20 })(cluster);
                }
            },
            server.Port);
        var failures = new List<string>();
        var number = 0;
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(CallAsync))).WaitAsync(TimeSpan.FromMinutes(3));
        return (failures, server.Handshakes);

        async Task CallAsync()
        {
            var client = world.Mesh.Client();
            for (int mine; (mine = Interlocked.Increment(ref number)) <= Requests;)
            {
                onRequest(world, server, mine);
                var body = mine % 2 == 0 ? $"request {mine}" : "";
                try
                {
                    using var request = new HttpRequestMessage(body.Length > 0 ? HttpMethod.Post : HttpMethod.Get, MutualTlsWorld.Address);
                    request.Content = body.Length > 0 ? new StringContent(body) : null;
                    using var response = await client.SendAsync(request);
                    var answer = await response.Content.ReadAsStringAsync();
                    if ((int)response.StatusCode != 200 || answer != body)
                    {
                        Fail($"{(int)response.StatusCode} {answer}");
                    }
                }
                catch (HttpRequestException e)
                {
                    Fail(e.ToString());
                }
            }
        }

        void Fail(string failure)
        {
            lock (failures)
            {
                failures.Add(failure);
            }
        }
    }
}
