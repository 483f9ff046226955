using System.Net;
using Envoy.Config.Route.V3;
using Mesh.DataPlane.Resources;
using static Envoy.Config.Core.V3.HeaderValueOption.Types;

namespace Mesh.Client.Tests.Routes;

/// <summary>What routes do to response headers, as the caller sees them.</summary>
public class ResponseHeaderTests
{
    [Theory]
    [InlineData(nameof(HeaderAppendAction.AppendIfExistsOrAdd), "theirs,added", "added")]
    [InlineData(nameof(HeaderAppendAction.AddIfAbsent), "theirs", "added")]
    [InlineData(nameof(HeaderAppendAction.OverwriteIfExistsOrAdd), "added", "added")]
    [InlineData(nameof(HeaderAppendAction.OverwriteIfExists), "added", "")]
    public async Task An_addition_does_what_its_action_says(string action, string whenThere, string whenNot)
    {
        var route = RoutedMesh.Route();
        route.ResponseHeadersToAdd.Add(RoutedMesh.Header("x-a", "added", Enum.Parse<HeaderAppendAction>(action)));
        (await HeaderAsync("x-a: theirs\r\n", route, "x-a")).ShouldBe(whenThere);
        (await HeaderAsync("", route, "x-a")).ShouldBe(whenNot);
    }

    [Theory]
    [InlineData(false, "cluster,route,host,config")]
    [InlineData(true, "cluster,config,host,route")]
    public async Task Levels_are_evaluated_in_Envoys_order(bool mostSpecificWins, string expected)
    {
        await using var mesh = RoutedMesh.Create();
        var route = RoutedMesh.Route();
        var cluster = new WeightedCluster.Types.ClusterWeight { Name = "a", Weight = 1 };
        cluster.ResponseHeadersToAdd.Add(RoutedMesh.Header("x-level", "cluster"));
        route.Route_.WeightedClusters = new WeightedCluster { Clusters = { cluster } };
        route.ResponseHeadersToAdd.Add(RoutedMesh.Header("x-level", "route"));
        mesh.Configure(
            c =>
            {
                c.MostSpecificHeaderMutationsWins = mostSpecificWins;
                c.ResponseHeadersToAdd.Add(RoutedMesh.Header("x-level", "config"));
                c.VirtualHosts[0].ResponseHeadersToAdd.Add(RoutedMesh.Header("x-level", "host"));
            },
            route);
        using var response = await mesh.GetAsync();
        string.Join(",", response.Headers.GetValues("x-level")).ShouldBe(expected);
    }

    [Theory]
    [InlineData("content-type", "application/json")]
    [InlineData("content-encoding", "x-mesh")]
    [InlineData("content-language", "de")]
    [InlineData("content-location", "/elsewhere")]
    [InlineData("content-disposition", "inline")]
    [InlineData("content-range", "bytes 0-1/2")]
    [InlineData("content-md5", "Q2hlY2sgSW50ZWdyaXR5IQ==")]
    [InlineData("expires", "0")]
    [InlineData("last-modified", "Tue, 15 Nov 1994 12:45:26 GMT")]
    [InlineData("allow", "GET, PUT")]
    [InlineData("server", "mesh (by the route)")]
    [InlineData("set-cookie", "a=b; Path=/")]
    [InlineData("etag", "\"1\"")]
    [InlineData("www-authenticate", "Basic")]
    [InlineData("cache-control", "no-store")]
    [InlineData("date", "not a date")]
    public async Task Every_class_of_header_is_set_and_removed(string name, string value)
    {
        var set = RoutedMesh.Route();
        set.ResponseHeadersToAdd.Add(RoutedMesh.Header(name, value, HeaderAppendAction.OverwriteIfExistsOrAdd));
        (await HeaderAsync("", set, name)).ShouldBe(value);
        (await HeaderAsync($"{name}: theirs\r\n", set, name)).ShouldBe(value);

        var remove = RoutedMesh.Route();
        remove.ResponseHeadersToRemove.Add(name);
        (await HeaderAsync($"{name}: {value}\r\n", remove, name)).ShouldBe("");
    }

    [Fact]
    public async Task Values_tell_of_both_messages_and_of_where_it_came_from()
    {
        await using var mesh = RoutedMesh.Create("x-instance: seven\r\n");
        var route = RoutedMesh.Route(a => a.PrefixRewrite = "/new/");
        route.RequestHeadersToAdd.Add(RoutedMesh.Header("x-set", "by the route"));
        route.ResponseHeadersToAdd.Add(RoutedMesh.Header("x-way", "%REQ(:PATH)%|%REQ(x-set)%|%RESP(x-instance)%|%RESPONSE_CODE%|%UPSTREAM_HOST%|%UPSTREAM_CLUSTER%|%PROTOCOL%"));
        mesh.Routes(route);
        using var response = await mesh.GetAsync("/stars");
        response.Headers.GetValues("x-way").ShouldBe([$"/new/stars|by the route|seven|200|127.0.0.1:{mesh.Server.Port}|a|HTTP/1.1"]);
    }

    [Fact]
    public async Task What_the_mesh_answers_itself_has_the_routes_headers_too()
    {
        await using var mesh = RoutedMesh.Create();
        var route = RoutedMesh.Route();
        route.ResponseHeadersToAdd.Add(RoutedMesh.Header("x-flags", "%RESPONSE_FLAGS% %RESPONSE_CODE%"));
        mesh.Routes(route);

        mesh.Mesh.SetEndpoints("a");
        using (var unhealthy = await mesh.GetAsync())
        {
            unhealthy.Headers.GetValues("x-flags").ShouldBe(["UH 503"]);
            unhealthy.Content.Headers.ContentType!.MediaType.ShouldBe("text/plain");
        }

        using var refused = new Servers.RawServer(_ => Task.CompletedTask);
        mesh.Mesh.SetEndpoints("a", refused.Port);
        using (var failed = await mesh.GetAsync())
        {
            failed.Headers.GetValues("x-flags").Single().ShouldEndWith("503");
        }

        mesh.Mesh.Xds.Remove(ClusterType.Instance, "a");
        using var missing = await mesh.GetAsync();
        missing.Headers.GetValues("x-flags").ShouldBe(["NC 503"]);
    }

    [Fact]
    public async Task The_body_is_the_upstreams_whatever_its_headers_say()
    {
        await using var mesh = RoutedMesh.Create();
        var route = RoutedMesh.Route();
        route.ResponseHeadersToAdd.Add(RoutedMesh.Header("content-type", "image/png", HeaderAppendAction.OverwriteIfExistsOrAdd));
        mesh.Routes(route);
        using var response = await mesh.GetAsync();
        (await response.Content.ReadAsStringAsync()).ShouldBe("ok");
        response.Content.Headers.ContentLength.ShouldBe(2);
        mesh.Mesh.ActiveRequests.ShouldBe(0);
    }

    private static async Task<string> HeaderAsync(string theirs, Route route, string name)
    {
        await using var mesh = RoutedMesh.Create(theirs).Routes(route);
        using var response = await mesh.GetAsync();
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        return response.Headers.NonValidated.TryGetValues(name, out var values) || response.Content.Headers.NonValidated.TryGetValues(name, out values)
            ? string.Join(",", values.AsEnumerable())
            : "";
    }
}
