using System.Buffers;
using System.Net;
using System.Text;
using Envoy.Config.Core.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Inbound.Http;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.Server.Tests.Inbound;
using Mesh.Xds.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Server.Tests.Telemetry;

/// <summary>Callers that say once, at the beginning of a connection, who they are.</summary>
public sealed class IntroducedPeerTests
{
    private const string Protocols = "mesh-http/1.1,istio-http/1.1,istio";

    private static readonly OwnMetadata Sleep = Own("sleep", "v2");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task All_requests_of_a_connection_are_those_of_whoever_has_introduced_himself(bool http2)
    {
        await using var app = await InboundApp.StartAsync(pipeline: Headers);
        app.SetStrict();
        using var client = Client(app, http2);

        for (var i = 0; i < 3; i++)
        {
            using var response = await client.GetAsync("/facts");
            response.Version.Major.ShouldBe(http2 ? 2 : 1);

            // How it was agreed upon is between the two: policies and logs see what they would have seen.
            (await response.Content.ReadAsStringAsync()).ShouldBe(http2 ? "istio-h2 0" : "istio-http/1.1 0");
        }

        var line = await LineAsync(app, 3);
        line.ShouldContain("reporter=\"destination\",source_workload=\"sleep\",");
        line.ShouldContain("source_workload_namespace=\"default\",source_principal=\"spiffe://cluster.local/ns/default/sa/client\",source_app=\"sleep\",source_version=\"v2\"");
        line.ShouldContain("connection_security_policy=\"mutual_tls\"");
    }

    [Fact]
    public async Task What_a_request_says_beside_it_is_neither_believed_nor_seen()
    {
        await using var app = await InboundApp.StartAsync(pipeline: Headers);
        app.SetStrict();
        using var client = Client(app);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/facts");
        Own("somebody", "v9").Tell(request);

        (await (await client.SendAsync(request)).Content.ReadAsStringAsync()).ShouldBe("istio-http/1.1 0");

        (await LineAsync(app, 1)).ShouldContain("source_workload=\"sleep\"");
    }

    [Fact]
    public async Task Whoever_has_not_proven_who_he_is_may_introduce_himself_and_is_unknown()
    {
        await using var app = await InboundApp.StartAsync(pipeline: Headers);
        app.Set(Listeners.Strict(app.EndPoint, app.Tls(requires: false)));
        using var client = Client(app, isAnonymous: true);

        (await client.GetStringAsync("/facts")).ShouldBe("istio-http/1.1 0");

        (await LineAsync(app, 1)).ShouldContain("source_workload=\"unknown\"");
    }

    [Fact]
    public async Task Each_connection_has_its_own_even_of_one_identity()
    {
        await using var app = await InboundApp.StartAsync(pipeline: Headers);
        app.SetStrict();
        using var sleep = Client(app);
        using var job = Client(app, own: Own("job", "v1"));

        await sleep.GetStringAsync("/facts");
        await job.GetStringAsync("/facts");
        await sleep.GetStringAsync("/facts");

        var lines = await LinesAsync(app, 3);
        lines.Single(l => l.Contains("source_workload=\"sleep\"", StringComparison.Ordinal)).ShouldEndWith(" 2");
        lines.Single(l => l.Contains("source_workload=\"job\"", StringComparison.Ordinal)).ShouldEndWith(" 1");
    }

    [Fact]
    public async Task The_first_request_may_come_with_it_and_both_in_pieces()
    {
        await using var app = await InboundApp.StartAsync(pipeline: Headers);
        app.SetStrict();
        foreach (var size in (int[])[1, 7, 10_000])
        {
            await using var stream = await MeshCaller.SecureAsync(await MeshCaller.ConnectAsync(app.Port), app.Workload(), Protocols);
            foreach (var piece in ((byte[])[.. Sleep.Introduction.ToArray(), .. "GET /facts HTTP/1.0\r\n\r\n"u8]).Chunk(size))
            {
                await stream.WriteAsync(piece);
            }

            using var reader = new StreamReader(stream, Encoding.ASCII);
            (await reader.ReadToEndAsync()).ShouldEndWith("istio-http/1.1 0");
        }

        (await LineAsync(app, 3)).ShouldContain("source_workload=\"sleep\"");
    }

    [Fact]
    public async Task One_that_nobody_can_read_leaves_the_caller_unknown_and_his_requests_served()
    {
        await using var app = await InboundApp.StartAsync(pipeline: Headers);
        app.SetStrict();
        await using var stream = await MeshCaller.SecureAsync(await MeshCaller.ConnectAsync(app.Port), app.Workload(), Protocols);

        await stream.WriteAsync((byte[])[0x3D, 0x23, 0x04, 0x67, 0, 0, 0, 3, 0xFF, 0xFF, 0xFF, .. "GET /facts HTTP/1.0\r\n\r\n"u8]);

        using var reader = new StreamReader(stream, Encoding.ASCII);
        (await reader.ReadToEndAsync()).ShouldEndWith("istio-http/1.1 0");
        (await LineAsync(app, 1)).ShouldContain("source_workload=\"unknown\"");
    }

    [Theory]
    [InlineData("a request", "GET /facts HTTP/1.1\r\nHost: app\r\n\r\n")]
    [InlineData("too much", "\u003D\u0023\u0004\u0067\u0001\u0000\u0000\u0000")]
    public async Task Something_else_in_its_place_ends_the_connection(string what, string bytes)
    {
        await using var app = await InboundApp.StartAsync(pipeline: Headers);
        app.SetStrict();
        await using var stream = await MeshCaller.SecureAsync(await MeshCaller.ConnectAsync(app.Port), app.Workload(), Protocols);

        await stream.WriteAsync(Encoding.Latin1.GetBytes(bytes));

        (await MeshCaller.EndsAsync(stream)).ShouldBeTrue(what);
        app.Refusals.ShouldHaveSingleItem().ShouldContain("it has announced its introduction, and says something else");
        app.Listener.Counters.TlsFailures.Value.ShouldBe(1);
    }

    [Fact]
    public async Task Whoever_announces_it_and_says_nothing_is_given_up_when_the_time_is_over()
    {
        await using var app = await InboundApp.StartAsync(pipeline: Headers, manualTime: true);
        app.SetStrict();
        var timers = app.Time.ActiveTimers;
        await using var stream = await MeshCaller.SecureAsync(await MeshCaller.ConnectAsync(app.Port), app.Workload(), Protocols);
        await stream.WriteAsync(Sleep.Introduction[..20]);
        await app.Time.WaitForTimersAsync(timers + 1).WaitAsync(TimeSpan.FromSeconds(30));

        app.Time.Advance(TimeSpan.FromSeconds(10));

        await app.UntilAsync(() => app.Refusals.Count > 0);
        app.Refusals.ShouldHaveSingleItem().ShouldContain("it has taken too long");
    }

    [Fact]
    public async Task Whoever_leaves_instead_is_let_go()
    {
        await using var app = await InboundApp.StartAsync(pipeline: Headers);
        app.SetStrict();
        await (await MeshCaller.SecureAsync(await MeshCaller.ConnectAsync(app.Port), app.Workload(), Protocols)).DisposeAsync();

        await app.UntilAsync(() => app.Refusals.Count > 0);

        using var client = Client(app);
        (await client.GetStringAsync("/facts")).ShouldBe("istio-http/1.1 0");
    }

    [Fact]
    public async Task Bytes_that_are_passed_on_as_they_are_begin_with_none()
    {
        await using var app = await InboundApp.StartAsync(pipeline: Headers);
        app.Set(Listeners.Listener(app.EndPoint, Listeners.PassOn("tcp", new(), app.Tls())));
        await using var stream = await MeshCaller.SecureAsync(await MeshCaller.ConnectAsync(app.Port), app.Workload(), Protocols);

        stream.NegotiatedApplicationProtocol.ToString().ShouldBe("istio-http/1.1");
        await stream.WriteAsync("GET /who HTTP/1.0\r\n\r\n"u8.ToArray());
        using var reader = new StreamReader(stream, Encoding.ASCII);
        (await reader.ReadToEndAsync()).ShouldContain("mtls");
    }

    [Fact]
    public async Task A_proxy_that_offers_no_introduction_is_spoken_to_as_ever()
    {
        await using var app = await InboundApp.StartAsync(pipeline: Headers);
        app.SetPermissive();
        await using var stream = await MeshCaller.SecureAsync(await MeshCaller.ConnectAsync(app.Port), app.Workload(), "istio-http/1.1,istio,http/1.1");

        stream.NegotiatedApplicationProtocol.ToString().ShouldBe("istio-http/1.1");
    }

    private static OwnMetadata Own(string app, string version) => new(new Node
    {
        Id = $"sidecar~10.0.0.1~{app}.elsewhere~elsewhere.svc.cluster.local",
        Metadata = Struct.Parser.ParseJson($$"""
            {"WORKLOAD_NAME":"{{app}}","NAMESPACE":"elsewhere","CLUSTER_ID":"Kubernetes","LABELS":{"app":"{{app}}","version":"{{version}}"} }
            """),
    });

    private static void Headers(WebApplication app)
        => app.MapGet(
            "/facts",
            (HttpContext context) => context.Features.Get<IInboundConnection>()!.Facts.ApplicationProtocol + " "
                + context.Request.Headers.Count(h => h.Key.StartsWith("x-envoy-peer", StringComparison.OrdinalIgnoreCase)));

    private static HttpClient Client(InboundApp app, bool http2 = false, bool isAnonymous = false, OwnMetadata? own = null)
        => new(new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = async (_, token) =>
            {
                var stream = await MeshCaller.SecureAsync(
                    await MeshCaller.ConnectAsync(app.Port, token), isAnonymous ? null : app.Workload(), http2 ? "mesh-h2,istio-h2,istio" : Protocols, cancellationToken: token);
                await stream.WriteAsync((own ?? Sleep).Introduction, token);
                return stream;
            },
        })
        {
            BaseAddress = new Uri($"http://app:{app.Port}"),
            DefaultRequestVersion = http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = TimeSpan.FromSeconds(30),
        };

    private static async Task<string> LineAsync(InboundApp app, int requests)
    {
        var line = (await LinesAsync(app, requests)).ShouldHaveSingleItem();
        line.ShouldEndWith(" " + requests);
        return line;
    }

    // A response is there before its server has told of it.
    private static async Task<IReadOnlyList<string>> LinesAsync(InboundApp app, int requests)
    {
        string[] Lines()
        {
            var output = new ArrayBufferWriter<byte>();
            PrometheusText.Write(app.App.Services.GetRequiredService<MetricRegistry>(), output);
            return [.. Encoding.UTF8.GetString(output.WrittenSpan).Split('\n').Where(l => l.StartsWith("istio_requests_total{", StringComparison.Ordinal))];
        }

        await app.UntilAsync(() => Lines().Sum(l => int.Parse(l[(l.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture)) >= requests);
        return Lines();
    }
}
