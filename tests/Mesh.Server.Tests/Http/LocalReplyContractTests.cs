using System.Text.RegularExpressions;
using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Upstream;
using EnvoyRouter = Envoy.Extensions.Filters.Http.Router.V3.Router;
using Escaped = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.PathWithEscapedSlashesAction;
using Underscores = Envoy.Config.Core.V3.HttpProtocolOptions.Types.HeadersWithUnderscoresAction;

namespace Mesh.Server.Tests.Http;

/// <summary>Each row of the table of what a server answers, brought about.</summary>
public sealed class LocalReplyContractTests
{
    private static readonly Dictionary<string, (Action<HttpConnectionManager> Listener, Func<DoorHost, Task<Answer>> Send)> Situations
        = new (Action<HttpConnectionManager>, Func<DoorHost, Task<Answer>>)[]
        {
            (_ => { }, h => h.SendAsync("/a#b")),
            (m => m.PathWithEscapedSlashesAction = Escaped.UnescapeAndRedirect, h => h.SendAsync("/a%2Fb")),
            (TwoRoutes, h => h.SendAsync("/public/%2e%2e/admin")),
            (m => m.MaxRequestHeadersKb = 1, h => h.SendAsync("/", ("x-long", new string('x', 1024)))),
            (m => m.CommonHttpProtocolOptions = new() { MaxHeadersCount = 3 }, h => h.SendAsync("/", ("a", "1"), ("b", "2"), ("c", "3"))),
            (m => m.CommonHttpProtocolOptions = new() { HeadersWithUnderscoresAction = Underscores.RejectRequest }, h => h.SendAsync("/", ("a_b", "1"))),
            (Strict, h => h.SendAsync("/", ("x-envoy-max-retries", "many"))),
            (_ => { }, h => h.SendRawAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
            (_ => { }, h => h.SendRawAsync("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")),
            (m => m.RouteConfig.VirtualHosts[0].Routes[0].Match.Prefix = "/other", h => h.SendAsync("/")),
            (m => m.RouteConfig.VirtualHosts[0].Routes[0] = new Route { Match = new RouteMatch { Prefix = "/" }, DirectResponse = new DirectResponseAction { Status = 299 } }, h => h.SendAsync("/")),
            (m => m.RouteConfig.VirtualHosts[0].Routes[0] = new Route { Match = new RouteMatch { Prefix = "/" }, FilterAction = new FilterAction() }, h => h.SendAsync("/")),
        }.Zip(LocalReplyTable.Inbound, (situation, row) => System.Collections.Generic.KeyValuePair.Create(row.Cause, situation)).ToDictionary();

    public static TheoryData<string> Causes => new(LocalReplyTable.Inbound.Select(r => r.Cause));

    [Fact]
    public void Every_row_has_a_situation() => Situations.Keys.ShouldBe(LocalReplyTable.Inbound.Select(r => r.Cause));

    [Theory]
    [MemberData(nameof(Causes))]
    public async Task A_caller_gets_what_the_table_says(string cause)
    {
        var row = LocalReplyTable.Inbound.Single(r => r.Cause == cause);
        var (listener, send) = Situations[cause];
        await using var host = await DoorHost.StartAsync(listener);

        var answer = await send(host);

        answer.Status.ShouldBe(row.Configured is null ? (int)row.Reply.Status : 299);
        answer.Body.ShouldMatch($"^{Template(row.Reply.Body)}$");
        foreach (var (name, value) in row.Reply.Headers)
        {
            answer.Headers[name].ShouldMatch($"^{Template(value)}$");
        }

        host.Requests.ShouldBeEmpty();
    }

    private static string Template(string text) => Regex.Replace(Regex.Escape(text), "<[^>]*>", ".+");

    private static void TwoRoutes(HttpConnectionManager manager)
    {
        var open = new Route { Match = new RouteMatch { Prefix = "/public/" }, NonForwardingAction = new() };
        open.TypedPerFilterConfig["x"] = Any.Pack(new FilterConfig { Disabled = true });
        manager.RouteConfig.VirtualHosts[0].Routes.Insert(0, open);
    }

    private static void Strict(HttpConnectionManager manager)
    {
        manager.HttpFilters[^1].TypedConfig = Any.Pack(new EnvoyRouter { StrictCheckHeaders = { "x-envoy-max-retries" } });
        manager.UseRemoteAddress = true;
        manager.InternalAddressConfig = new() { CidrRanges = { new CidrRange { AddressPrefix = "127.0.0.0", PrefixLen = 8 } } };
    }
}
