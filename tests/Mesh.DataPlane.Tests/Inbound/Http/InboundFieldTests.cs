using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests.Decoding.Fields;

namespace Mesh.DataPlane.Tests.Inbound.Http;

/// <summary>What becomes of every field of a connection manager for requests that come in, which is not what becomes of it for those that go out.</summary>
public sealed class InboundFieldTests
{
    private static readonly string[] _nothingToDo =
    [
        // The server speaks every version that it is set to, and a prefix is a name for statistics.
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.codec_type",

        // Nothing of the kind is written here.
        "envoy.extensions.filters.http.router.v3.Router.suppress_envoy_headers",
    ];

    private readonly FieldWalk _walk = new("envoy.config.accesslog.v3.AccessLog", "envoy.config.route.v3.RouteConfiguration", "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter");

    public InboundFieldTests()
    {
        _walk.Go(new FieldSite(Manager, Decode));
        _walk.Go(new FieldSite(() => new Router(), router =>
        {
            var manager = Manager();
            manager.HttpFilters[0].TypedConfig = Any.Pack(router);
            return Decode(manager);
        }));
        _walk.Go(new FieldSite(() => new Envoy.Config.Core.V3.HttpProtocolOptions { MaxHeadersCount = 50 }, options =>
        {
            var manager = Manager();
            manager.CommonHttpProtocolOptions = (Envoy.Config.Core.V3.HttpProtocolOptions)options;
            return Decode(manager);
        }));
    }

    [Fact]
    public void Every_field_can_be_set_by_itself() => _walk.Problems.ShouldBeEmpty();

    [Fact]
    public void Nothing_is_ignored_in_silence()
        => _walk.Outcomes.Where(o => o.Value == FieldOutcome.Ignored).Select(o => o.Key).ShouldBe(_nothingToDo, ignoreOrder: true);

    [Fact]
    public void The_table_says_what_becomes_of_every_field()
    {
        using var reader = new StreamReader(typeof(InboundFieldTests).Assembly.GetManifestResourceStream("inbound-fields.txt")!);
        var expected = reader.ReadToEnd().Split('\n');

        var actual = FieldTable.Of(_walk).Split('\n');

        var differences = expected.Except(actual).Select(l => "- " + l).Concat(actual.Except(expected).Select(l => "+ " + l));
        string.Join('\n', differences).ShouldBeEmpty("if that is as it should be, it belongs into Inbound/Http/inbound-fields.txt, and into docs/features.md");
    }

    private static HttpConnectionManager Manager() => new()
    {
        StatPrefix = "s",
        PathWithEscapedSlashesAction = HttpConnectionManager.Types.PathWithEscapedSlashesAction.RejectRequest,
        RouteConfig = new RouteConfiguration
        {
            Name = "r",
            VirtualHosts = { new VirtualHost { Name = "h", Domains = { "*" }, Routes = { new Route { Match = new RouteMatch { Prefix = "/" }, NonForwardingAction = new() } } } },
        },
        HttpFilters = { new HttpFilter { Name = "envoy.filters.http.router", TypedConfig = Any.Pack(new Router()) } },
    };

    private static Decoded Decode(IMessage manager)
    {
        var notes = new List<string>();
        return new Decoded(InboundHttpCompiler.Compile(Any.Pack(manager), "hcm", FilterTypes.BuiltIn, notes)) { Notes = notes };
    }

    private sealed record Decoded(InboundHttp Http) : Resource;
}
