using System.Net;
using Envoy.Config.Common.MutationRules.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Type.Matcher.V3;
using Envoy.Type.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Mirroring;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Upstream;
using RequestMirrorPolicy = Envoy.Config.Route.V3.RouteAction.Types.RequestMirrorPolicy;

namespace Mesh.Client.Tests.Routes;

/// <summary>Copies of requests to another cluster, which the original knows nothing of.</summary>
public class MirrorTests : IAsyncLifetime
{
    private readonly HeadServer _shadow = new();
    private RoutedMesh _mesh = null!;

    private MirrorSender Mirrors => ((Router)_mesh.Mesh.Engine.Upstream).Mirrors;

    public Task InitializeAsync()
    {
        _mesh = RoutedMesh.Create();
        _mesh.Mesh.SetCluster("shadow").SetEndpoints("shadow", _shadow.Port);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _mesh.DisposeAsync();
        _shadow.Dispose();
    }

    [Fact]
    public async Task A_copy_arrives_with_the_shadow_authority_and_as_the_route_made_the_original()
    {
        var route = RoutedMesh.Route(a =>
        {
            a.PrefixRewrite = "/v2/";
            a.RequestMirrorPolicies.Add(Policy());
        });
        route.RequestHeadersToAdd.Add(RoutedMesh.Header("x-added", "yes"));
        _mesh.Routes(route);

        (await (await _mesh.GetAsync("/stars?x=1", ("x-mine", "m"))).Content.ReadAsStringAsync()).ShouldBe("ok");
        await _shadow.ArrivedAsync();

        _shadow.Lines[0].ShouldBe("GET /v2/stars?x=1 HTTP/1.1");
        _shadow.Header("host").ShouldBe(["reviews-shadow:9080"]);
        (_shadow.Header("x-mine").Single(), _shadow.Header("x-added").Single()).ShouldBe(("m", "yes"));
        _mesh.Server.Header("host").ShouldBe([RoutedMesh.Authority]);
    }

    [Fact]
    public async Task The_authority_and_the_headers_of_a_copy_may_be_its_own()
    {
        var policy = Policy();
        policy.DisableShadowHostSuffixAppend = true;
        policy.HostRewriteLiteral = "copy.example";
        policy.RequestHeadersMutations.Add(new HeaderMutation { Remove = "x-secret" });
        policy.RequestHeadersMutations.Add(new HeaderMutation { Append = RoutedMesh.Header("x-copy-of", "%REQ(:PATH)%") });
        policy.RequestHeadersMutations.Add(new HeaderMutation { RemoveOnMatch = new() { KeyMatcher = new StringMatcher { Prefix = "x-internal-" } } });
        _mesh.Routes(RoutedMesh.Route(a => a.RequestMirrorPolicies.Add(policy)));

        (await _mesh.GetAsync("/a", ("x-secret", "s"), ("X-Internal-Id", "1"), ("x-kept", "k"))).Dispose();
        await _shadow.ArrivedAsync();

        _shadow.Header("host").ShouldBe(["copy.example"]);
        _shadow.Header("x-secret").ShouldBeEmpty();
        _shadow.Header("x-internal-id").ShouldBeEmpty();
        _shadow.Header("x-copy-of").ShouldBe(["/a"]);
        _shadow.Header("x-kept").ShouldBe(["k"]);
        _mesh.Server.Header("x-secret").ShouldBe(["s"]);
    }

    [Theory]
    [InlineData(false, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-02", "80f198ee56343ba8-e457b5a2e4d86bd1-0-05e3ac9a4f6e3b90", "0")]
    [InlineData(null, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03", "80f198ee56343ba8-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90", "1")]
    public async Task A_copy_is_sampled_as_the_policy_says(bool? sampled, string parent, string b3, string flag)
    {
        var policy = Policy();
        policy.TraceSampled = sampled;
        _mesh.Routes(RoutedMesh.Route(a => a.RequestMirrorPolicies.Add(policy)));

        (await _mesh.GetAsync(
            "/",
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03"),
            ("b3", "80f198ee56343ba8-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90"),
            ("x-b3-sampled", "1"))).Dispose();
        await _shadow.ArrivedAsync();

        (_shadow.Header("traceparent").Single(), _shadow.Header("b3").Single(), _shadow.Header("x-b3-sampled").Single()).ShouldBe((parent, b3, flag));
        _mesh.Server.Header("b3").Single().ShouldEndWith("-1-05e3ac9a4f6e3b90");
    }

    [Fact]
    public async Task A_body_goes_to_both_even_when_the_caller_disposes_it()
    {
        _mesh.Routes(RoutedMesh.Route(a => a.RequestMirrorPolicies.Add(Policy())));
        HttpContent[] contents =
        [
            new StringContent("body"),
            new StreamContent(new MemoryStream("body"u8.ToArray())),
            new ScriptedContent(async stream => await stream.WriteAsync("body"u8.ToArray())) { Headers = { ContentLength = 4 } },
        ];
        foreach (var content in contents)
        {
            using (var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/") { Content = content })
            {
                (await _mesh.SendAsync(request)).StatusCode.ShouldBe(HttpStatusCode.OK);
                request.Content.ShouldBeSameAs(content);
            }

            await _shadow.ArrivedAsync();
            _shadow.Bodies.TryDequeue(out var copy).ShouldBeTrue();
            copy.ShouldBe("body", content.GetType().Name);
            _mesh.Server.Bodies.TryDequeue(out var original).ShouldBeTrue();
            original.ShouldBe("body");
        }
    }

    [Fact]
    public async Task A_body_beyond_the_limit_is_sent_once_and_its_copy_abandoned()
    {
        var route = RoutedMesh.Route(a => a.RequestMirrorPolicies.Add(Policy()));
        route.RequestBodyBufferLimit = 10;
        _mesh.Routes(route);
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/") { Content = new StringContent(new string('x', 11)) };
        (await _mesh.SendAsync(request)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (Mirrors.Abandoned, Mirrors.Sent).ShouldBe((1, 0));
        _shadow.Heads.ShouldBeEmpty();
    }

    [Fact]
    public async Task Copies_that_hang_or_fail_neither_slow_nor_fail_the_original()
    {
        var gate = new TaskCompletionSource();
        using var silent = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await gate.Task;
        });
        using var broken = new RawServer(connection =>
        {
            connection.Reset();
            return Task.CompletedTask;
        });
        _mesh.Mesh.SetCluster("silent").SetEndpoints("silent", silent.Port);
        _mesh.Mesh.SetCluster("broken").SetEndpoints("broken", broken.Port);
        _mesh.Mesh.SetCluster("empty").SetEndpoints("empty");
        _mesh.Routes(RoutedMesh.Route(a => a.RequestMirrorPolicies.Add([Policy("silent"), Policy("broken"), Policy("empty"), Policy()])));

        for (var i = 0; i < 20; i++)
        {
            (await _mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);
            await _shadow.ArrivedAsync();
        }

        gate.SetResult();
    }

    [Fact]
    public async Task A_copy_is_made_although_the_original_fails()
    {
        _mesh.Mesh.SetEndpoints("a");
        _mesh.Routes(RoutedMesh.Route(a => a.RequestMirrorPolicies.Add(Policy())));
        (await _mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        await _shadow.ArrivedAsync();
    }

    [Fact]
    public async Task A_header_may_name_the_cluster()
    {
        _mesh.Routes(RoutedMesh.Route(a => a.RequestMirrorPolicies.Add(new RequestMirrorPolicy { ClusterHeader = "x-shadow" })));
        (await _mesh.GetAsync()).Dispose();
        (await _mesh.GetAsync("/named", ("x-shadow", "shadow"))).Dispose();
        await _shadow.ArrivedAsync();
        _shadow.Lines[0].ShouldStartWith("GET /named ");
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(100, 50)]
    public async Task A_share_of_nothing_and_of_all(uint percent, int expected)
    {
        var policy = Policy();
        policy.RuntimeFraction = new RuntimeFractionalPercent { DefaultValue = new FractionalPercent { Numerator = percent } };
        _mesh.Routes(RoutedMesh.Route(a => a.RequestMirrorPolicies.Add(policy)));
        for (var i = 0; i < 50; i++)
        {
            (await _mesh.GetAsync()).Dispose();
        }

        for (var i = 0; i < expected; i++)
        {
            await _shadow.ArrivedAsync();
        }

        (Mirrors.Sent + Mirrors.Dropped).ShouldBe(expected);
    }

    [Fact]
    public async Task A_share_is_kept_whichever_side_of_a_split_the_original_takes()
    {
        var policy = Policy();
        policy.RuntimeFraction = new RuntimeFractionalPercent { DefaultValue = new FractionalPercent { Numerator = 30 } };
        var route = RoutedMesh.Route(a =>
        {
            a.WeightedClusters = new WeightedCluster
            {
                Clusters =
                {
                    Choice("one"),
                    Choice("two"),
                },
            };
            a.RequestMirrorPolicies.Add(policy);
        });
        _mesh.Routes(route);
        for (var i = 0; i < 400; i++)
        {
            (await _mesh.GetAsync()).Dispose();
        }

        while (Mirrors.Active > 0)
        {
            await Task.Yield();
        }

        // 400 even draws: 200 to each side, and about 60 copies of either.
        var copies = _shadow.Heads.GroupBy(h => h.Contains("x-side: one")).ToDictionary(g => g.Key, g => g.Count());
        copies[true].ShouldBeInRange(40, 80);
        copies[false].ShouldBeInRange(40, 80);

        static WeightedCluster.Types.ClusterWeight Choice(string side)
        {
            var choice = new WeightedCluster.Types.ClusterWeight { Name = "a", Weight = 1 };
            choice.RequestHeadersToAdd.Add(RoutedMesh.Header("x-side", side));
            return choice;
        }
    }

    [Fact]
    public async Task The_most_specific_level_that_mirrors_at_all_decides()
    {
        _mesh.Mesh.SetCluster("other").SetEndpoints("other", _mesh.Server.Port);
        _mesh.Configure(c =>
        {
            c.RequestMirrorPolicies.Add(Policy("other"));
            c.VirtualHosts[0].RequestMirrorPolicies.Add(Policy());
        });
        (await _mesh.GetAsync()).Dispose();
        await _shadow.ArrivedAsync();
        _mesh.Server.Heads.Count.ShouldBe(1);
    }

    [Fact]
    public async Task No_more_than_a_bounded_number_is_on_its_way()
    {
        var gate = new TaskCompletionSource();
        using var silent = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await gate.Task;
        });

        // A thousand connections are made in the time that the machine takes for them.
        var forever = Duration.FromTimeSpan(TimeSpan.FromDays(1));
        var cluster = DataPlane.Tests.Resources.Cluster("silent");
        cluster.ConnectTimeout = forever;
        _mesh.Mesh.Xds.Set(ClusterType.Instance, cluster);
        _mesh.Mesh.SetEndpoints("silent", silent.Port);
        var policies = Enumerable.Repeat(0, 300).Select(_ => Policy("silent")).ToArray();
        _mesh.Routes(RoutedMesh.Route(a =>
        {
            a.Timeout = forever;
            a.RequestMirrorPolicies.Add(policies);
        }));
        for (var i = 0; i < 4; i++)
        {
            (await _mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        Mirrors.Active.ShouldBe(MirrorSender.MaxActive);
        Mirrors.Dropped.ShouldBe((4 * 300) - MirrorSender.MaxActive);
        gate.SetResult();
    }

    private static RequestMirrorPolicy Policy(string cluster = "shadow") => new() { Cluster = cluster };
}
