using System.Collections.Frozen;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.Cors.V3;
using Envoy.Extensions.Filters.Http.ExtAuthz.V3;
using Envoy.Extensions.Filters.Http.Fault.V3;
using Envoy.Extensions.Filters.Http.JwtAuthn.V3;
using Envoy.Extensions.Filters.Http.LocalRatelimit.V3;
using Envoy.Extensions.Upstreams.Http.V3;
using Envoy.Type.Matcher.V3;
using Envoy.Type.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.CircuitBreakers;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.OriginalDst;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Upstream;
using Mesh.Xds.Client;
using Mesh.Xds.Tests.Grpc;
using Mesh.Xds.Tests.Jwt;
using Microsoft.Extensions.DependencyInjection;
using Fixture = Mesh.DataPlane.Tests.Resources;
using TypedStruct = global::Xds.Type.V3.TypedStruct;
using Route = Envoy.Config.Route.V3.Route;
using RouteAction = Envoy.Config.Route.V3.RouteAction;

namespace Mesh.Client.Tests.LocalReplies;

/// <summary>For each row of the table, what brings it about: real sockets below, virtual time above.</summary>
internal static class Situations
{
    private const string Authority = Situation.Authority;

    private static readonly UriCreationOptions Verbatim = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private static readonly FractionalPercent Always = new() { Numerator = 100 };

    /// <summary>By <see cref="LocalReplyRow.Cause"/>.</summary>
    public static FrozenDictionary<string, Func<Situation>> All { get; } = new Dictionary<LocalReplyRow[], Func<Situation>[]>
    {
        [LocalReplyTable.Routing] = [NoRoute, NoConfiguration, NoCluster, DirectResponse, UnsupportedAction, InvalidRequest, InvalidTarget, BlackHole],
        [LocalReplyTable.Hosts] =
        [
            NoHost, Unresolved, TooManyDestinations, DropOverload, Overflow, Refused, ConnectTimeout, TlsGarbage, WrongName, Ended, Reset, RefusedStream, NoHttp,
            LongHeaders, RetriesExhausted, NoRetryBudget,
        ],
        [LocalReplyTable.Clocks] =
        [
            () => Timed(a => a.Timeout = Seconds(3)),
            () => Timed(a => a.RetryPolicy = new RetryPolicy { RetryOn = "connect-failure", PerTryTimeout = Seconds(3) }),
            () => Timed(a => a.RetryPolicy = new RetryPolicy { RetryOn = "connect-failure", PerTryIdleTimeout = Seconds(3) }),
            () => Timed(a => a.IdleTimeout = Seconds(3)),
            () => Timed(a => a.IdleTimeout = Seconds(3), uploading: true),
            () => Timed(a => a.MaxStreamDuration = new() { MaxStreamDuration_ = Seconds(3) }),
            () => Timed(a => a.MaxStreamDuration = new() { MaxStreamDuration_ = Seconds(3) }, uploading: true),
            () => Timed(_ => { }, clusterDuration: true),
            () => Timed(_ => { }, clusterDuration: true, uploading: true),
        ],
        [LocalReplyTable.Filters] =
        [
            () => Fault(new HTTPFault { Abort = new FaultAbort { HttpStatus = 503, Percentage = Always } }),
            DelayAndAbort,
            () => Fault(new HTTPFault { Abort = new FaultAbort { GrpcStatus = 14, Percentage = Always } }),
            () => RateLimit(new LocalRateLimit()),
            () => RateLimit(new LocalRateLimit { RateLimitedAsResourceExhausted = true }),
            TooLarge, Preflight, FilterThrows, Forbidden,
            () => Token(null), () => Token(("exp", 1)), () => Token(("sub", "somebody")), UnknownRequirement,
            Denied, () => Authorized("outbound|80||nowhere"), Invalid,
        ],
    }.SelectMany(group => group.Key.Where(r => !r.IsNotYet).Zip(group.Value, (row, situation) => KeyValuePair.Create(row.Cause + Which(row), situation))).ToFrozenDictionary();

    // A few causes are told by the row before.
    public static string Which(LocalReplyRow row) => $" → {(int)row.Reply.Status} {row.Reply.Flags} {row.Reply.Details}";

    private static Duration Seconds(int seconds) => Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds));

    private static Situation NoRoute() => new Situation().Route(Fixture.Prefix("/elsewhere", Authority));

    private static Situation NoConfiguration()
    {
        var situation = new Situation();
        situation.Mesh.Xds.Remove(ListenerType.Instance, Authority);
        return situation;
    }

    private static Situation NoCluster()
    {
        var situation = new Situation();
        situation.Mesh.Xds.Remove(ClusterType.Instance, Authority);
        return situation;
    }

    private static Situation DirectResponse()
        => new Situation().Route(new Route { Match = new() { Prefix = "/" }, DirectResponse = new DirectResponseAction { Status = 200 } });

    private static Situation UnsupportedAction()
        => new Situation().Route(new Route { Match = new() { Prefix = "/" }, NonForwardingAction = new NonForwardingAction() });

    private static Situation InvalidRequest()
    {
        var route = Fixture.Prefix("/", Authority);
        route.Route_.PathRewrite = "%REQ(x-path)%";
        return new Situation { Headers = { ["x-path"] = "relative" } }.Route(route);
    }

    private static Situation InvalidTarget() => new() { Uri = new Uri($"http://{Authority}/a b", Verbatim) };

    private static Situation BlackHole()
    {
        var situation = new Situation(o => o.Client.OutboundTrafficPolicy = OutboundTrafficMode.RegistryOnly) { Uri = new Uri("http://api.example.com/") };
        situation.Mesh.Xds.Remove(ListenerType.Instance, "api.example.com:80");
        return situation;
    }

    private static Situation NoHost()
    {
        var situation = new Situation();
        situation.Mesh.SetEndpoints(Authority);
        return situation;
    }

    private static Situation Unresolved()
    {
        var situation = OriginalDestination("api.example.com");
        situation.Resolver.Answer("api.example.com", null);
        return situation;
    }

    private static Situation TooManyDestinations()
    {
        var situation = OriginalDestination("one.more.example");
        situation.Mesh.LeavesRequests = true;
        for (var i = 0; i < OriginalDestinations.MaxHosts; i++)
        {
            // Nobody answers: they wait, and none may be forgotten.
            situation.Resolver.Hold($"h{i}.example");
            var waiting = new HttpRequestMessage(HttpMethod.Get, $"http://h{i}.example/") { Headers = { Host = Authority } };
            _ = situation.Mesh.Invoker().SendAsync(waiting, CancellationToken.None);
        }

        return situation;
    }

    private static Situation OriginalDestination(string host)
    {
        var situation = new Situation { Uri = new Uri($"http://{host}/"), Host = Authority };
        situation.Mesh.Use(new Cluster { Name = Authority, Type = Cluster.Types.DiscoveryType.OriginalDst, LbPolicy = Cluster.Types.LbPolicy.ClusterProvided });
        return situation;
    }

    private static Situation DropOverload()
    {
        var situation = new Situation();
        var assignment = Fixture.Endpoints(Authority, 1);
        assignment.Policy = new() { DropOverloads = { new ClusterLoadAssignment.Types.Policy.Types.DropOverload { Category = "all", DropPercentage = Always } } };
        situation.Mesh.Xds.Set(EndpointsType.Instance, assignment);
        return situation;
    }

    private static Situation Overflow()
    {
        var situation = new Situation();
        situation.Mesh.Use(Fixture.Cluster(Authority).WithThresholds(new() { MaxRequests = 0 }));
        return situation;
    }

    // Where nothing is said, nobody listens at the endpoint's port.
    private static Situation Refused() => new();

    private static Situation ConnectTimeout()
    {
        // Nobody accepts, and the backlog is full: further SYNs are dropped.
        var situation = new Situation();
        var listener = situation.Own(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        situation.Own(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)).Connect(listener.LocalEndPoint!);
        situation.Mesh.SetEndpoints(Authority, ((IPEndPoint)listener.LocalEndPoint!).Port);
        return AfterTimer(situation, TimeSpan.FromSeconds(5));
    }

    private static Situation TlsGarbage()
        => WithServer(new Situation { Uri = new Uri($"https://{Authority}/") }, connection => connection.WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n"));

    private static Situation WrongName() => WithServer(new Situation { Uri = new Uri($"https://{Authority}/") }, _ => Task.CompletedTask);

    private static Situation Ended() => Ended(new Situation());

    private static Situation Ended(Situation situation) => WithServer(situation, connection => connection.ReadHeadAsync());

    private static Situation Reset() => Http2(2);

    private static Situation RefusedStream() => Http2(7);

    private static Situation NoHttp() => Answering("SSH-2.0-OpenSSH_9.2\r\n\r\n");

    private static Situation LongHeaders() => Answering($"HTTP/1.1 200 OK\r\nx-long: {new string('x', 100_000)}\r\n\r\n");

    private static Situation RetriesExhausted() => Retried();

    private static Situation NoRetryBudget()
    {
        var situation = Retried();
        situation.Mesh.Use(Fixture.Cluster(Authority).WithThresholds(new() { MaxRetries = 0 }));
        return situation;
    }

    // A back-off of a millisecond is waited for.
    private static Situation Retried()
    {
        var route = Fixture.Prefix("/", Authority);
        route.Route_.RetryPolicy = RouteRules.Retry("reset");
        return Ended(new Situation(time: TimeProvider.System)).Route(route);
    }

    private static Situation Timed(Action<RouteAction> rule, bool uploading = false, bool clusterDuration = false)
    {
        var arrived = new SemaphoreSlim(0);
        var situation = WithServer(new Situation(), async connection =>
        {
            var head = await connection.ReadHeadAsync();
            if (!uploading && head!.Contains("POST", StringComparison.Ordinal))
            {
                await connection.ReadAsync(5);
            }

            arrived.Release();
            await connection.WaitForEndAsync();
        });
        if (clusterDuration)
        {
            var cluster = Fixture.Cluster(Authority);
            cluster.TypedExtensionProtocolOptions.Add(
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                Any.Pack(new HttpProtocolOptions { CommonHttpProtocolOptions = new() { MaxStreamDuration = Seconds(3) }, ExplicitHttpConfig = new() { HttpProtocolOptions = new() } }));
            situation.Mesh.Use(cluster);
        }

        if (uploading)
        {
            situation.Body = () => new EndlessContent();
        }

        situation.Meanwhile = async () =>
        {
            await arrived.WaitAsync();
            situation.Time.Advance(TimeSpan.FromSeconds(3));
        };
        var route = Fixture.Prefix("/", Authority);
        rule(route.Route_);
        return situation.Route(route);
    }

    private static Situation DelayAndAbort()
    {
        var fault = new HTTPFault
        {
            Delay = new Envoy.Extensions.Filters.Common.Fault.V3.FaultDelay { FixedDelay = Seconds(2), Percentage = Always },
            Abort = new FaultAbort { HttpStatus = 503, Percentage = Always },
        };
        return AfterTimer(Fault(fault), TimeSpan.FromSeconds(2));
    }

    private static Situation Fault(HTTPFault fault) => new Situation().Listen(("envoy.filters.http.fault", fault));

    private static Situation RateLimit(LocalRateLimit limit)
    {
        limit.StatPrefix = "limit";
        limit.TokenBucket = new TokenBucket { MaxTokens = 1, TokensPerFill = 1, FillInterval = Seconds(60) };
        limit.FilterEnabled = new() { DefaultValue = Always };
        limit.FilterEnforced = new() { DefaultValue = Always };
        var situation = new Situation().Listen(("envoy.filters.http.local_ratelimit", limit)).Route(
            new Route { Match = new() { Prefix = "/" }, DirectResponse = new DirectResponseAction { Status = 200 } });

        // The one token.
        situation.Mesh.Client().GetAsync($"http://{Authority}/").GetAwaiter().GetResult().Dispose();
        return situation;
    }

    private static Situation TooLarge()
        => new Situation { Body = () => new ByteArrayContent(new byte[11]) }.Listen(("envoy.filters.http.buffer", new Envoy.Extensions.Filters.Http.Buffer.V3.Buffer { MaxRequestBytes = 10 }));

    private static Situation Preflight()
    {
        var route = Fixture.Prefix("/", Authority);
        route.TypedPerFilterConfig.Add(
            "envoy.filters.http.cors",
            Any.Pack(new Envoy.Extensions.Filters.Http.Cors.V3.CorsPolicy { AllowOriginStringMatch = { new StringMatcher { Exact = "https://shop.example" } }, AllowMethods = "GET" }));
        return new Situation
        {
            Method = HttpMethod.Options,
            Headers = { ["origin"] = "https://shop.example", ["access-control-request-method"] = "GET" },
        }.Listen(("envoy.filters.http.cors", new Cors())).Route(route);
    }

    private static Situation FilterThrows()
        => new Situation(configure: services => services.AddMeshFilter<Throwing>(Throwing.Url)).Listen(("throwing", new TypedStruct { TypeUrl = Throwing.Url }));

    private static Situation Forbidden()
        => new Situation().Listen(("envoy.filters.http.rbac", new Envoy.Extensions.Filters.Http.Rbac.V3.RBAC { Rules = new() }));

    // The provider wants another audience than none.
    private static Situation Token((string Name, JsonNode Value)? claim)
    {
        using var issuer = new TokenIssuer();
        var situation = new Situation();
        if (claim is var (name, value))
        {
            situation.Headers["authorization"] = "Bearer " + issuer.Sign(TokenIssuer.Claims((name, value)));
        }

        return situation.Listen(("envoy.filters.http.jwt_authn", Authentication(issuer)));
    }

    private static Situation UnknownRequirement()
    {
        using var issuer = new TokenIssuer();
        var route = Fixture.Prefix("/", Authority);
        route.TypedPerFilterConfig.Add("envoy.filters.http.jwt_authn", Any.Pack(new PerRouteConfig { RequirementName = "other" }));
        return new Situation().Listen(("envoy.filters.http.jwt_authn", Authentication(issuer))).Route(route);
    }

    private static JwtAuthentication Authentication(TokenIssuer issuer) => new()
    {
        Providers = { ["p"] = new JwtProvider { Issuer = "issuer", Audiences = { "shop" }, LocalJwks = new() { InlineString = TokenIssuer.KeySet(issuer.RsaKey()) } } },
        Rules = { new RequirementRule { Match = new() { Prefix = "/" }, Requires = new JwtRequirement { ProviderName = "p" } } },
        RequirementMap = { ["strict"] = new JwtRequirement { ProviderName = "p" } },
    };

    private static Situation Denied()
    {
        var situation = Authorized("authz");
        situation.Mesh.Serve("authz", situation.Own(new RawServer(AnsweringOnce("HTTP/1.1 403 Forbidden\r\nContent-Length: 8\r\n\r\nnot here"))).Port);
        return situation;
    }

    private static Situation Invalid()
    {
        var situation = Authorized("authz", new AuthorizationResponse { AllowedUpstreamHeaders = new() { Patterns = { new StringMatcher { Exact = "x-envoy-internal" } } } });
        situation.Mesh.Serve("authz", situation.Own(new RawServer(AnsweringOnce("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx-envoy-internal: true\r\n\r\n"))).Port);
        return situation;
    }

    private static Situation Authorized(string cluster, AuthorizationResponse? response = null)
    {
        var situation = new Situation();
        situation.Mesh.Xds.Remove(ClusterType.Instance, "outbound|80||nowhere");
        return situation.Listen(("envoy.filters.http.ext_authz", new ExtAuthz
        {
            HttpService = new() { ServerUri = new() { Uri = "http://authz", Cluster = cluster, Timeout = Seconds(5) }, AuthorizationResponse = response },
            DecoderHeaderMutationRules = new() { DisallowIsError = true },
        }));
    }

    private static Func<RawConnection, Task> AnsweringOnce(string text) => async connection =>
    {
        await connection.ReadHeadAsync();
        await connection.WriteAsync(text);
        await connection.WaitForEndAsync();
    };

    private static Situation Answering(string text) => WithServer(new Situation(), async connection =>
    {
        await connection.ReadHeadAsync();
        await connection.WriteAsync(text);
        await connection.WaitForEndAsync();
    });

    private static Situation WithServer(Situation situation, Func<RawConnection, Task> serve)
    {
        situation.Mesh.SetEndpoints(Authority, situation.Own(new RawServer(serve)).Port);
        return situation;
    }

    private static Situation Http2(uint code)
    {
        var situation = new Situation();
        var server = situation.Own(new RawHttp2Server());
        situation.Mesh.SetCluster(Authority, http2: true).SetEndpoints(Authority, new Uri(server.Target).Port);
        _ = ResetAllAsync();
        return situation;

        async Task ResetAllAsync()
        {
            try
            {
                using var connection = await server.AcceptAsync();
                while (true)
                {
                    var (stream, _, _) = await connection.ReadAsync(RawHttp2Connection.Headers);
                    await connection.WriteResetAsync(stream, code);
                }
            }
            catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or TimeoutException)
            {
                // The test is over.
            }
        }
    }

    private static Situation AfterTimer(Situation situation, TimeSpan time)
    {
        situation.Meanwhile = async () =>
        {
            await situation.Time.WaitForTimerAsync(time);
            situation.Time.Advance(time);
        };
        return situation;
    }

    /// <summary>Begins to be sent, and goes on until nobody wants it any more.</summary>
    private sealed class EndlessContent : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.FlushAsync(cancellationToken);
            await cancellationToken.Until();
            cancellationToken.ThrowIfCancellationRequested();
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private sealed class Throwing : Mesh.Filters.HttpFilter
    {
        public const string Url = "type.googleapis.com/test.Throwing";

        public override ValueTask OnRequestAsync(Mesh.Filters.HttpExchange exchange, CancellationToken cancellationToken)
            => throw new InvalidOperationException("a bug");
    }
}
