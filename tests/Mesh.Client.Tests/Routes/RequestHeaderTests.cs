using System.Net;
using System.Net.Http.Headers;
using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Mesh.TestNet;
using static Envoy.Config.Core.V3.HeaderValueOption.Types;

namespace Mesh.Client.Tests.Routes;

/// <summary>What routes do to request headers, as the bytes on the wire show it.</summary>
public class RequestHeaderTests
{
    [Theory]
    [InlineData(nameof(HeaderAppendAction.AppendIfExistsOrAdd), "mine,added", "added")]
    [InlineData(nameof(HeaderAppendAction.AddIfAbsent), "mine", "added")]
    [InlineData(nameof(HeaderAppendAction.OverwriteIfExistsOrAdd), "added", "added")]
    [InlineData(nameof(HeaderAppendAction.OverwriteIfExists), "added", "")]
    public async Task An_addition_does_what_its_action_says(string action, string whenThere, string whenNot)
    {
        await using var mesh = RoutedMesh.Create();
        var route = RoutedMesh.Route();
        route.RequestHeadersToAdd.Add(RoutedMesh.Header("x-a", "added", Enum.Parse<HeaderAppendAction>(action)));
        mesh.Routes(route);

        (await mesh.GetAsync("/", ("x-a", "mine"))).Dispose();
        string.Join(",", mesh.Server.Header("x-a")).Replace(" ", "").ShouldBe(whenThere);
        mesh.Server.Forget();
        (await mesh.GetAsync()).Dispose();
        string.Join(",", mesh.Server.Header("x-a")).ShouldBe(whenNot);
    }

    [Theory]
    [InlineData(false, "cluster,route,host,config")]
    [InlineData(true, "cluster,config,host,route")]
    public async Task Levels_are_evaluated_in_Envoys_order(bool mostSpecificWins, string expected)
    {
        await using var mesh = RoutedMesh.Create();
        mesh.Configure(c => Level(c, mostSpecificWins, HeaderAppendAction.AppendIfExistsOrAdd), Split());

        (await mesh.GetAsync()).Dispose();

        string.Join(",", mesh.Server.Header("x-level")).Replace(" ", "").ShouldBe(expected);
    }

    [Theory]
    [InlineData(false, "config")]
    [InlineData(true, "route")]
    public async Task The_level_that_is_evaluated_last_overwrites_the_others(bool mostSpecificWins, string expected)
    {
        await using var mesh = RoutedMesh.Create();
        mesh.Configure(c => Level(c, mostSpecificWins, HeaderAppendAction.OverwriteIfExistsOrAdd), Split());

        (await mesh.GetAsync()).Dispose();

        mesh.Server.Header("x-level").ShouldBe([expected]);
    }

    [Fact]
    public async Task Removals_come_before_additions_and_all_values_are_taken_before_any_is_written()
    {
        await using var mesh = RoutedMesh.Create();
        var route = RoutedMesh.Route();
        route.RequestHeadersToRemove.Add("X-Secret");
        route.RequestHeadersToAdd.Add(RoutedMesh.Header("x-secret-was", "[%REQ(x-secret)%]"));
        route.RequestHeadersToAdd.Add(RoutedMesh.Header("x-a", "%REQ(x-b)%", HeaderAppendAction.OverwriteIfExistsOrAdd));
        route.RequestHeadersToAdd.Add(RoutedMesh.Header("x-b", "%REQ(x-a)%", HeaderAppendAction.OverwriteIfExistsOrAdd));
        mesh.Routes(route);

        (await mesh.GetAsync("/", ("x-secret", "s"), ("x-a", "1"), ("x-b", "2"))).Dispose();

        mesh.Server.Header("x-secret").ShouldBeEmpty();
        mesh.Server.Header("x-secret-was").ShouldBe(["[]"]);
        (mesh.Server.Header("x-a").Single(), mesh.Server.Header("x-b").Single()).ShouldBe(("2", "1"));
    }

    [Fact]
    public async Task An_empty_value_is_no_header_unless_it_is_to_be_kept()
    {
        await using var mesh = RoutedMesh.Create();
        var route = RoutedMesh.Route();
        route.RequestHeadersToAdd.Add(RoutedMesh.Header("x-dropped", "%REQ(x-none)%"));
        route.RequestHeadersToAdd.Add(RoutedMesh.Header("x-kept", "%REQ(x-none)%", keepEmpty: true));
        route.RequestHeadersToAdd.Add(RoutedMesh.Header("x-mine", "", HeaderAppendAction.OverwriteIfExistsOrAdd, keepEmpty: true));
        mesh.Routes(route);

        (await mesh.GetAsync("/", ("x-mine", "mine"))).Dispose();

        mesh.Server.Header("x-dropped").ShouldBeEmpty();
        mesh.Server.Header("x-kept").ShouldBe([""]);
        mesh.Server.Header("x-mine").ShouldBe([""]);
    }

    [Fact]
    public async Task Values_tell_of_the_route_and_the_request()
    {
        await using var mesh = RoutedMesh.Create();
        var route = RoutedMesh.Route();
        route.RequestHeadersToAdd.Add(RoutedMesh.Header("x-way", "%REQ(:METHOD)% %REQ(:AUTHORITY)% %REQ(:PATH)% %ROUTE_NAME% %UPSTREAM_CLUSTER% 100%%"));
        mesh.Routes(route);

        (await mesh.GetAsync("/stars?x=1")).Dispose();

        mesh.Server.Header("x-way").ShouldBe(["GET reviews:9080 /stars?x=1 main a 100%"]);
    }

    // System.Net.Http keeps these with the content, and knows some of the others by more than their name.
    [Theory]
    [InlineData("content-type", "application/json")]
    [InlineData("content-encoding", "gzip")]
    [InlineData("content-language", "de")]
    [InlineData("content-location", "/elsewhere")]
    [InlineData("content-disposition", "inline")]
    [InlineData("content-range", "bytes 0-1/2")]
    [InlineData("content-md5", "Q2hlY2sgSW50ZWdyaXR5IQ==")]
    [InlineData("expires", "0")]
    [InlineData("last-modified", "Tue, 15 Nov 1994 12:45:26 GMT")]
    [InlineData("allow", "GET, PUT")]
    [InlineData("authorization", "Bearer a")]
    [InlineData("user-agent", "mesh (by the route)")]
    [InlineData("accept", "text/html, */*;q=0.1")]
    [InlineData("cookie", "a=b; c=d")]
    [InlineData("date", "not a date")]
    [InlineData("if-none-match", "\"etag\"")]
    [InlineData("cache-control", "no-cache")]
    [InlineData("x-under_score", "1")]
    public async Task Every_class_of_header_is_set_added_and_removed(string name, string value)
    {
        await using var mesh = RoutedMesh.Create();
        foreach (var withBody in new[] { true, false })
        {
            var set = RoutedMesh.Route();
            set.RequestHeadersToAdd.Add(RoutedMesh.Header(name, value, HeaderAppendAction.OverwriteIfExistsOrAdd));
            mesh.Routes(set);
            mesh.Server.Forget();
            using var request = Request(withBody);
            var before = Snapshot(request);
            (await mesh.SendAsync(request)).Dispose();
            mesh.Server.Header(name).ShouldBe([value], $"{name}, body: {withBody}");
            Snapshot(request).ShouldBe(before);

            var remove = RoutedMesh.Route();
            remove.RequestHeadersToRemove.Add(name);
            mesh.Routes(remove);
            mesh.Server.Forget();
            using var filled = Request(withBody);
            (name.StartsWith("content") || name is "expires" or "last-modified" or "allow" ? (HttpHeaders?)filled.Content?.Headers : filled.Headers)?.TryAddWithoutValidation(name, value);
            before = Snapshot(filled);
            (await mesh.SendAsync(filled)).Dispose();
            mesh.Server.Header(name).ShouldBeEmpty($"{name}, body: {withBody}");
            Snapshot(filled).ShouldBe(before);
        }
    }

    [Fact]
    public async Task A_message_is_given_back_as_it_was_and_sent_twice_gains_nothing_twice()
    {
        await using var mesh = RoutedMesh.Create();
        var route = RoutedMesh.Route(a =>
        {
            a.PrefixRewrite = "/new";
            a.HostRewriteLiteral = "elsewhere";
            a.AppendXForwardedHost = true;
        }, "/old");
        route.RequestHeadersToAdd.Add(RoutedMesh.Header("x-list", "added"));
        route.RequestHeadersToAdd.Add(RoutedMesh.Header("content-type", "text/html", HeaderAppendAction.OverwriteIfExistsOrAdd));
        route.RequestHeadersToRemove.Add("x-gone");
        mesh.Routes(route);
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/old/x?y=1") { Content = new StringContent("body"), Version = HttpVersion.Version20 };
        request.Headers.Add("x-list", ["one", "two"]);
        request.Headers.Add("x-gone", "here");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "t");
        var uri = request.RequestUri;
        var before = Snapshot(request);

        foreach (var _ in new[] { 1, 2 })
        {
            mesh.Server.Forget();
            (await mesh.SendAsync(request)).Dispose();
            mesh.Server.Lines[0].ShouldBe("POST /new/x?y=1 HTTP/1.1");
            mesh.Server.Header("host").ShouldBe(["elsewhere"]);
            mesh.Server.Header("x-forwarded-host").ShouldBe(["reviews:9080"]);
            mesh.Server.Header("x-envoy-original-path").ShouldBe(["/old/x?y=1"]);
            mesh.Server.Header("x-envoy-original-host").ShouldBe(["reviews:9080"]);
            mesh.Server.Header("x-list").Single().ShouldBe("one, two, added");
            mesh.Server.Header("x-gone").ShouldBeEmpty();
            mesh.Server.Header("content-type").ShouldBe(["text/html"]);
            Snapshot(request).ShouldBe(before);
            request.RequestUri.ShouldBeSameAs(uri);
        }
    }

    [Fact]
    public async Task A_message_is_given_back_as_it_was_when_sending_fails()
    {
        await using var mesh = RoutedMesh.Create();
        var route = RoutedMesh.Route(a => a.PrefixRewrite = "/new");
        route.RequestHeadersToAdd.Add(RoutedMesh.Header("x-a", "added"));
        mesh.Routes(route);
        mesh.Mesh.SetEndpoints("a", ClosedPort.Take());
        using var request = Request(withBody: true);
        var before = Snapshot(request);

        (await mesh.SendAsync(request)).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);

        Snapshot(request).ShouldBe(before);
    }

    private static Route Split()
    {
        var route = RoutedMesh.Route();
        route.Route_.WeightedClusters = new WeightedCluster { Clusters = { new WeightedCluster.Types.ClusterWeight { Name = "a", Weight = 1 } } };
        return route;
    }

    private static void Level(RouteConfiguration configuration, bool mostSpecificWins, HeaderAppendAction action)
    {
        configuration.MostSpecificHeaderMutationsWins = mostSpecificWins;
        configuration.RequestHeadersToAdd.Add(RoutedMesh.Header("x-level", "config", action));
        var host = configuration.VirtualHosts[0];
        host.RequestHeadersToAdd.Add(RoutedMesh.Header("x-level", "host", action));
        host.Routes[0].RequestHeadersToAdd.Add(RoutedMesh.Header("x-level", "route", action));
        host.Routes[0].Route_.WeightedClusters.Clusters[0].RequestHeadersToAdd.Add(RoutedMesh.Header("x-level", "cluster", action));
    }

    private static HttpRequestMessage Request(bool withBody)
        => new(withBody ? HttpMethod.Post : HttpMethod.Get, "http://reviews:9080/") { Content = withBody ? new ByteArrayContent([1, 2]) : null };

    // Whoever asks a content for its length, as every handler does, finds it among the headers from then on.
    private static string Snapshot(HttpRequestMessage request)
        => $"{request.Content?.Headers.ContentLength} {request.Method} {request.RequestUri} {request.Version} {request.VersionPolicy} {request.Content?.GetType().Name}\n"
            + string.Join('\n', request.Headers.NonValidated.Select(h => $"{h.Key}: {string.Join('|', h.Value)}").Order()) + "\n-\n"
            + string.Join('\n', (request.Content?.Headers.NonValidated.Select(h => $"{h.Key}: {string.Join('|', h.Value)}") ?? []).Order());
}
