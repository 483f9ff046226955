using System.Globalization;
using System.Text.Json;
using Mesh.Xds.Ads;
using Mesh.Xds.Grpc;
using Mesh.Xds.Serving;

namespace Mesh.Peers.Tests.Callers;

/// <summary>What traffic rules make of the calls of gRPC's C-core, and what it says to the resources that carry them.</summary>
[Trait("Category", "Peers")]
public sealed class SteeringTests
{
    private const string Reviews = "reviews.default.svc.cluster.local";
    private const string Node = "peer-1";

    // C-core 1.51, which Debian 12 has, dies of a segmentation fault in its own ring_hash policy.
    [PeerFact("C-core", Unless = "import grpc; assert grpc.__version__.startswith('1.51.')")]
    public async Task A_consistent_hash_keeps_each_user_with_one_host()
    {
        await using var lab = await LabAsync("  trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user, ringHash: {minimumRingSize: 1024}}}}");
        await using var caller = lab.Run();

        var hosts = new List<string>();
        for (var user = 0; user < 20; user++)
        {
            var answers = await AskAsync(caller, new { calls = 10, wait = true, metadata = new[] { new[] { "x-user", $"user-{user}" } } });
            hosts.Add(answers.ShouldHaveSingleItem().Key);
        }

        hosts.Distinct().Order().ShouldBe(["v1", "v2"]);
        await ShouldHaveTakenAllAsync(lab.Control);
    }

    [PeerFact("C-core")]
    public async Task Three_in_ten_calls_are_aborted()
    {
        const int Calls = 3_000;
        await using var lab = await LabAsync(http: """
              - fault: {abort: {percentage: {value: 30}, grpcStatus: PERMISSION_DENIED}}
                route: [{destination: {host: reviews.default.svc.cluster.local}}]
            """);
        await using var caller = lab.Run();

        var answers = await AskAsync(caller, new { calls = Calls, concurrent = 50, wait = true });

        // ± 4.5 points are more than five standard deviations.
        answers.Values.Sum().ShouldBe(Calls);
        answers["StatusCode.PERMISSION_DENIED"].ShouldBeInRange(Calls * 255 / 1_000, Calls * 345 / 1_000);
        answers.Keys.Order().ShouldBe(["StatusCode.PERMISSION_DENIED", "v1", "v2"]);
        await ShouldHaveTakenAllAsync(lab.Control);
    }

    [PeerFact("C-core")]
    public async Task A_call_that_fails_once_is_tried_again()
    {
        var calls = 0;
        await using var lab = await LabAsync(
            http: """
              - retries: {attempts: 2, retryOn: unavailable}
                route: [{destination: {host: reviews.default.svc.cluster.local, subset: v1}}]
            """,
            v1: (_, _) => Interlocked.Increment(ref calls) % 2 == 1
                ? throw new RpcException(StatusCode.Unavailable, "try again")
                : Task.FromResult("v1"));
        await using var caller = lab.Run();

        var answers = await AskAsync(caller, new { calls = 20, wait = true });

        answers.ShouldBe(new Dictionary<string, int> { ["v1"] = 20 });
        calls.ShouldBe(40);
        await ShouldHaveTakenAllAsync(lab.Control);
    }

    [PeerFact("C-core")]
    public async Task More_calls_at_a_time_than_http2MaxRequests_are_refused()
    {
        using var arrived = new SemaphoreSlim(0);
        using var released = new SemaphoreSlim(0);
        await using var lab = await LabAsync(
            "  trafficPolicy: {connectionPool: {http: {http2MaxRequests: 3}}}",
            http: "  - route: [{destination: {host: reviews.default.svc.cluster.local, subset: v1}}]",
            v1: async (_, cancellation) =>
            {
                arrived.Release();
                await released.WaitAsync(cancellation);
                return "v1";
            });
        await using var caller = lab.Run();

        await TellAsync(caller, new { calls = 10, concurrent = 10, wait = false, tell = 7 });
        for (var i = 0; i < 3; i++)
        {
            (await arrived.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBeTrue();
        }

        // The others are refused before those that have come may go: one that is made later would be let in.
        (await caller.ReadLineAsync()).ShouldBe("7");
        released.Release(3);
        var answers = await HearAsync(caller);

        answers.ShouldBe(new Dictionary<string, int> { ["v1"] = 3, ["StatusCode.UNAVAILABLE"] = 7 }, ignoreOrder: true);
        arrived.CurrentCount.ShouldBe(0);
        await ShouldHaveTakenAllAsync(lab.Control);
    }

    [PeerFact("C-core")]
    public async Task Localities_share_as_the_distribution_says()
    {
        const int Calls = 3_000;
        await using var lab = await LabAsync("""
              trafficPolicy:
                loadBalancer: {simple: ROUND_ROBIN, localityLbSetting: {distribute: [{from: "here/*", to: {"here/*": 80, "there/*": 20}}]}}
                outlierDetection: {consecutive5xxErrors: 5}
            """);
        await using var caller = lab.Run();

        var answers = await AskAsync(caller, new { calls = Calls, concurrent = 50, wait = true });

        answers.Values.Sum().ShouldBe(Calls);
        answers["v1"].ShouldBeInRange(Calls * 76 / 100, Calls * 84 / 100);
        await ShouldHaveTakenAllAsync(lab.Control);
    }

    [PeerFact("C-core")]
    public async Task Everything_that_a_rule_can_say_is_acknowledged()
    {
        await using var lab = await LabAsync(
            """
              trafficPolicy:
                loadBalancer: {simple: ROUND_ROBIN}
                connectionPool: {tcp: {maxConnections: 7, connectTimeout: 3s}, http: {http2MaxRequests: 100, http1MaxPendingRequests: 9, maxRetries: 5, idleTimeout: 60s}}
                outlierDetection: {consecutive5xxErrors: 5, consecutiveGatewayErrors: 4, interval: 10s, baseEjectionTime: 30s, maxEjectionPercent: 50, minHealthPercent: 20}
                retryBudget: {percent: 30}
            """,
            """
              - name: headers
                match:
                - {headers: {end-user: {exact: jason}, x-b: {prefix: a}, x-c: {regex: "a.*"}}, withoutHeaders: {x-d: {exact: b}}, uri: {prefix: /peers}}
                - {method: {exact: POST}, uri: {exact: /peers.Echo/Nobody}, queryParams: {q: {exact: a}}}
                fault: {delay: {fixedDelay: 0.001s, percentage: {value: 100}}, abort: {percentage: {value: 0.1}, httpStatus: 503}}
                rewrite: {uri: /other, authority: other}
                timeout: 10s
                retries: {attempts: 3, perTryTimeout: 2s, retryOn: "5xx,connect-failure,unavailable,cancelled"}
                mirror: {host: reviews.default.svc.cluster.local, subset: v2}
                corsPolicy: {allowOrigins: [{exact: "https://a"}]}
                headers: {request: {set: {x-e: f}}, response: {remove: [x-g]}}
                route:
                - {destination: {host: reviews.default.svc.cluster.local, subset: v1}, weight: 60, headers: {request: {add: {x-h: i}}}}
                - {destination: {host: reviews.default.svc.cluster.local, subset: v2}, weight: 40}
              - {name: redirect, match: [{uri: {prefix: /moved}}], redirect: {uri: /new}}
              - {name: direct, match: [{uri: {prefix: /direct}}], directResponse: {status: 418, body: {string: teapot}}}
              - {name: rest, route: [{destination: {host: reviews.default.svc.cluster.local, subset: v1}}]}
            """);
        await using var caller = lab.Run();

        (await AskAsync(caller, new { calls = 10, wait = true })).ShouldBe(new Dictionary<string, int> { ["v1"] = 10 });

        await ShouldHaveTakenAllAsync(lab.Control);
    }

    /// <summary>gRPC's rules: the C-core of this version knows ROUND_ROBIN and RING_HASH (gRFC A27, A42) and refuses other policies by their name.</summary>
    [PeerFact("C-core")]
    public async Task LEAST_REQUEST_is_refused_by_name_and_told()
    {
        await using var lab = await LabAsync("  trafficPolicy: {loadBalancer: {simple: LEAST_REQUEST}}");
        await using var caller = lab.Run();

        var answers = await AskAsync(caller, new { calls = 1 });

        answers.ShouldBe(new Dictionary<string, int> { ["StatusCode.UNAVAILABLE"] = 1 });

        // The call may fail before its refusal is heard.
        await WhenAnsweredAsync(lab.Control);
        lab.Control.Refusals.Messages.ShouldContain(m => m.Contains("LB policy is not supported", StringComparison.Ordinal) || m.Contains("lb_policy", StringComparison.OrdinalIgnoreCase));
    }

    private static async Task<Dictionary<string, int>> AskAsync(PeerProcess caller, object order)
    {
        await TellAsync(caller, order);
        return await HearAsync(caller);
    }

    private static Task TellAsync(PeerProcess caller, object order) => caller.WriteLineAsync(JsonSerializer.Serialize(order));

    private static async Task<Dictionary<string, int>> HearAsync(PeerProcess caller)
        => JsonSerializer.Deserialize<Dictionary<string, int>>(await caller.ReadLineAsync())!;

    private static async Task ShouldHaveTakenAllAsync(ControlPlaneHost control)
    {
        await WhenAnsweredAsync(control);
        var connection = control.Server.Connections.Single(open => open.Node!.Id == Node);
        connection.Types.Select(type => type.TypeUrl).ShouldBe(
            [TypeUrls.Cluster, TypeUrls.ClusterLoadAssignment, TypeUrls.Listener, TypeUrls.RouteConfiguration], ignoreOrder: true);
        foreach (var type in connection.Types)
        {
            type.LastNack.ShouldBeNull(type.TypeUrl);
            type.AckedVersion.ShouldBe(type.SentVersion, type.TypeUrl);
        }
    }

    private static Task WhenAnsweredAsync(ControlPlaneHost control)
        => control.Server.WhenAcknowledgedAsync(control.Server.Push(AdsChange.Everything), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));

    private static Task<Lab> LabAsync(string destinationRule = "", string? http = null, Func<Microsoft.AspNetCore.Http.HttpContext, CancellationToken, Task<string>>? v1 = null)
        => Lab.StartAsync(destinationRule, http ?? $"  - route: [{{destination: {{host: {Reviews}}}}}]", v1 ?? ((_, _) => Task.FromResult("v1")));

    /// <summary>Two versions of a service in two places, the rules for it, and a control plane that tells of them.</summary>
    private sealed class Lab(EchoServer v1, EchoServer v2, ControlPlaneHost control) : IAsyncDisposable
    {
        public ControlPlaneHost Control { get; } = control;

        public static async Task<Lab> StartAsync(string destinationRule, string http, Func<Microsoft.AspNetCore.Http.HttpContext, CancellationToken, Task<string>> answer)
        {
            var v1 = await EchoServer.StartAsync(answer);
            var v2 = await EchoServer.StartAsync("v2");
            return new Lab(v1, v2, await ControlPlaneHost.StartAsync(string.Create(CultureInfo.InvariantCulture, $$$"""
                apiVersion: networking.istio.io/v1
                kind: ServiceEntry
                metadata: {name: reviews}
                spec:
                  hosts: [{{{Reviews}}}]
                  location: MESH_INTERNAL
                  resolution: STATIC
                  ports: [{number: 9080, name: grpc, protocol: GRPC}]
                  endpoints:
                  - {address: 127.0.0.1, ports: {grpc: {{{v1.Port}}} }, labels: {version: v1}, locality: here}
                  - {address: 127.0.0.1, ports: {grpc: {{{v2.Port}}} }, labels: {version: v2}, locality: there}
                ---
                apiVersion: networking.istio.io/v1
                kind: DestinationRule
                metadata: {name: reviews}
                spec:
                  host: {{{Reviews}}}
                  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
                {{{destinationRule}}}
                ---
                apiVersion: networking.istio.io/v1
                kind: VirtualService
                metadata: {name: reviews}
                spec:
                  hosts: [{{{Reviews}}}]
                  http:
                {{{http}}}
                """)));
        }

        public PeerProcess Run() => Peer.Python.Run("steered_caller", Control.Bootstrap(Node), "xds:///reviews:9080", EchoServer.Method);

        public async ValueTask DisposeAsync()
        {
            await Control.DisposeAsync();
            await v1.DisposeAsync();
            await v2.DisposeAsync();
        }
    }
}
