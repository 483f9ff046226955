using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Rbac.V3;
using Envoy.Config.Route.V3;
using Envoy.Config.Trace.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Extensions.Clusters.Dns.V3;
using Envoy.Extensions.Clusters.OriginalDst.V3;
using Envoy.Extensions.Filters.Http.Buffer.V3;
using Envoy.Extensions.Filters.Http.ExtAuthz.V3;
using Envoy.Extensions.Filters.Http.Fault.V3;
using Envoy.Extensions.Filters.Http.HeaderMutation.V3;
using Envoy.Extensions.Filters.Http.JwtAuthn.V3;
using Envoy.Extensions.Filters.Http.LocalRatelimit.V3;
using Envoy.Extensions.Filters.Http.Rbac.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Http.StatefulSession.V3;
using Envoy.Extensions.Filters.Listener.TlsInspector.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Envoy.Extensions.Http.StatefulSession.Cookie.V3;
using Envoy.Extensions.Http.StatefulSession.Header.V3;
using Envoy.Extensions.InternalRedirect.AllowListedRoutes.V3;
using Envoy.Extensions.LoadBalancingPolicies.ClientSideWeightedRoundRobin.V3;
using Envoy.Extensions.LoadBalancingPolicies.LeastRequest.V3;
using Envoy.Extensions.LoadBalancingPolicies.Maglev.V3;
using Envoy.Extensions.LoadBalancingPolicies.OverrideHost.V3;
using Envoy.Extensions.LoadBalancingPolicies.PickFirst.V3;
using Envoy.Extensions.LoadBalancingPolicies.RingHash.V3;
using Envoy.Extensions.LoadBalancingPolicies.RoundRobin.V3;
using Envoy.Extensions.LoadBalancingPolicies.WrrLocality.V3;
using Envoy.Extensions.Path.Match.UriTemplate.V3;
using Envoy.Extensions.Retry.Priority.PreviousPriorities.V3;
using Envoy.Extensions.Tracers.Opentelemetry.ResourceDetectors.V3;
using Envoy.Extensions.Tracers.Opentelemetry.Samplers.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tls;
using Cluster = Envoy.Config.Cluster.V3.Cluster;
using Cors = Envoy.Extensions.Filters.Http.Cors.V3;
using MtlsAuthenticated = Envoy.Extensions.Rbac.Principals.MtlsAuthenticated.V3.Config;
using NetworkExtAuthz = Envoy.Extensions.Filters.Network.ExtAuthz.V3.ExtAuthz;
using NetworkRbac = Envoy.Extensions.Filters.Network.Rbac.V3.RBAC;
using RBAC = Envoy.Config.Rbac.V3.RBAC;
using Rbac = Envoy.Extensions.Filters.Http.Rbac.V3.RBAC;
using HttpProtocolOptions = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;
using RetryPolicy = Envoy.Config.Route.V3.RetryPolicy;
using RandomPolicy = Envoy.Extensions.LoadBalancingPolicies.Random.V3.Random;

namespace Mesh.DataPlane.Tests.Decoding.Fields;

/// <summary>Every message that the data plane reads, first where it stands in a resource, then what <c>Any</c> fields carry.</summary>
internal static class FieldSites
{
    public static IEnumerable<FieldSite> All =>
    [
        new(() => Resources.Endpoints("c", 80), m => (Resource)EndpointsType.Instance.Decode(m.ToByteString(), out _)),
        new(() => Resources.Routes("r", Resources.Prefix("/", "c")), m => (Resource)RouteConfigurationType.Instance.Decode(m.ToByteString(), out _)),
        new(() => Resources.Cluster("c"), Decode),
        new(() => Resources.Listener("l", "r"), m => (Resource)ListenerType.Instance.Decode(m.ToByteString(), out _)),
        new(() => TcpChain(), m => InTcpListener(l => l.FilterChains[0] = (FilterChain)m)),
        new(() => new FilterChainMatch(), m => InTcpListener(l => l.FilterChains[0].FilterChainMatch = (FilterChainMatch)m)),
        new(() => new TcpProxy { StatPrefix = "s", Cluster = "c" }, m => InTcpListener(l => l.FilterChains[0].Filters[0].TypedConfig = Any.Pack(m))),
        new(() => new ListenerFilter { Name = "tls", TypedConfig = Any.Pack(new TlsInspector()) }, m => InTcpListener(l => l.ListenerFilters.Add((ListenerFilter)m))),
        new(() => new TlsInspector(), m => InTcpListener(l => l.ListenerFilters.Add(new ListenerFilter { Name = "tls", TypedConfig = Any.Pack(m) }))),
        new(() => new HttpFilter { Name = "y", TypedConfig = Any.Pack(new HTTPFault()) }, m =>
        {
            var manager = Resources.Listener("l", "r").ApiListener.ApiListener_.Unpack<HttpConnectionManager>();
            manager.HttpFilters.Insert(0, (HttpFilter)m);
            return InListener(manager);
        }),
        new(() => Resources.Listener("l", "r").ApiListener.ApiListener_.Unpack<HttpConnectionManager>(), InListener),
        new(
            () => new Stats.PluginConfig
            {
                GracefulDeletionInterval = new() { Seconds = 1 },
                Metrics = { new Stats.MetricConfig { TagsToRemove = { "source_app" }, Dimensions = { ["source_version"] = "'x'" } } },
                Definitions = { new Stats.MetricDefinition { Name = "own_total", Value = "1" } },
            },
            m =>
            {
                var manager = Resources.Listener("l", "r").ApiListener.ApiListener_.Unpack<HttpConnectionManager>();
                manager.HttpFilters.Insert(0, new HttpFilter { Name = "stats", TypedConfig = Any.Pack(m) });
                return InListener(manager);
            }),

        Tracer(new ZipkinConfig { CollectorCluster = "z", CollectorEndpoint = "/z" }),
        Tracer(new OpenTelemetryConfig { HttpService = new() { HttpUri = FieldSampleTable.Authorizer } }),
        new(() => new TraceIdRatioBasedSamplerConfig { SamplingPercentage = new() { Numerator = 1 } }, InSampler),
        new(() => new ParentBasedSamplerConfig { WrappedSampler = new() { Name = "x", TypedConfig = Any.Pack(new TraceIdRatioBasedSamplerConfig { SamplingPercentage = new() }) } }, InSampler),
        new(() => new StaticConfigResourceDetectorConfig(), m => InTracer(new OpenTelemetryConfig
        {
            HttpService = new() { HttpUri = FieldSampleTable.Authorizer },
            ResourceDetectors = { new TypedExtensionConfig { Name = "x", TypedConfig = Any.Pack(m) } },
        })),

        Policy(new RoundRobin()),
        Policy(new RandomPolicy()),
        Policy(new LeastRequest()),
        Policy(new RingHash()),
        Policy(new Maglev()),
        Policy(new PickFirst()),
        Policy(new ClientSideWeightedRoundRobin()),
        Policy(new OverrideHost { OverrideHostSources = { new OverrideHost.Types.OverrideHostSource { Header = "x-z" } }, FallbackPolicy = List(new RoundRobin()) }),
        Policy(new WrrLocality { EndpointPickingPolicy = List(new RoundRobin()) }),
        new(
            () => new HttpProtocolOptions { ExplicitHttpConfig = new() { Http2ProtocolOptions = new() } },
            m => InCluster(c =>
            {
                c.OutlierDetection = new();
                c.TransportSocket = Resources.Tls();
                c.TypedExtensionProtocolOptions["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"] = Any.Pack(m);
            })),
        new(
            () => new UpstreamTlsContext(Resources.Tls().TypedConfig.Unpack<UpstreamTlsContext>()) { Sni = "a.example" },
            m => InCluster(c => c.TransportSocket = new TransportSocket { Name = "tls", TypedConfig = Any.Pack(m) })),
        new(
            () => new SPIFFECertValidatorConfig { TrustDomains = { new SPIFFECertValidatorConfig.Types.TrustDomain { Name = "y", TrustBundle = new() { Filename = "/y" } } } },
            m => InCluster(c => c.TransportSocket = new TransportSocket
            {
                Name = "tls",
                TypedConfig = Any.Pack(new UpstreamTlsContext
                {
                    CommonTlsContext = new() { ValidationContext = new() { CustomValidatorConfig = new() { Name = "spiffe", TypedConfig = Any.Pack(m) } } },
                }),
            })),
        new(
            () => new Secret { Name = "s", ValidationContext = new() { TrustedCa = new() { InlineString = "x" } } },
            m => (Resource)SecretType.Instance.Decode(m.ToByteString(), out _)),
        new(
            () => new DnsCluster(),
            m => InCluster(c =>
            {
                c.ClusterType = new Cluster.Types.CustomClusterType { Name = "dns", TypedConfig = Any.Pack(m) };
                c.LoadAssignment = new() { ClusterName = "c", Endpoints = { new Envoy.Config.Endpoint.V3.LocalityLbEndpoints { LbEndpoints = { Resources.Endpoint("a.example", 80) } } } };
            })),
        new(
            () => new OriginalDstCluster(),
            m => InCluster(c =>
            {
                c.ClusterType = new Cluster.Types.CustomClusterType { Name = "original", TypedConfig = Any.Pack(m) };
                c.LbPolicy = Cluster.Types.LbPolicy.ClusterProvided;
            })),

        InRetry(new PreviousPrioritiesConfig { UpdateFrequency = 2 }, (retry, config) => retry.RetryPriority = new RetryPolicy.Types.RetryPriority { Name = "x", TypedConfig = config }),

        new(() => new AllowListedRoutesConfig(), m => InRoute(route => route.Route_.InternalRedirectPolicy = new()
        {
            Predicates = { new TypedExtensionConfig { Name = "x", TypedConfig = Any.Pack(m) } },
        })),

        Filter(new Rbac()),
        RouteFilter(new RBACPerRoute()),
        new(() => new RBAC(), InRules),
        new(() => AnyPolicy(), m => InRules(new RBAC { Policies = { ["p"] = (Policy)m } })),
        new(() => AnyPolicy().Permissions[0], m => InRules(new RBAC { Policies = { ["p"] = new Policy(AnyPolicy()) { Permissions = { (Permission)m } } } })),
        new(() => AnyPolicy().Principals[0], m => InRules(new RBAC { Policies = { ["p"] = new Policy(AnyPolicy()) { Principals = { (Principal)m } } } })),
        new(
            () => new UriTemplateMatchConfig { PathTemplate = "/a" },
            m => InRules(new RBAC { Policies = { ["p"] = new Policy(AnyPolicy()) { Permissions = { new Permission { UriTemplate = new() { Name = "t", TypedConfig = Any.Pack(m) } } } } } })),
        new(
            () => new MtlsAuthenticated { SanMatcher = new() { SanType = SubjectAltNameMatcher.Types.SanType.Uri, Matcher = new() { Exact = "x" } } },
            m => InRules(new RBAC { Policies = { ["p"] = new Policy(AnyPolicy()) { Principals = { new Principal { Custom = new() { Name = "c", TypedConfig = Any.Pack(m) } } } } } })),
        new(() => new NetworkRbac { StatPrefix = "s" }, InNetworkFilter),
        new(
            () => new NetworkExtAuthz { StatPrefix = "s", TransportApiVersion = Envoy.Config.Core.V3.ApiVersion.V3, GrpcService = new() { EnvoyGrpc = new() { ClusterName = "c" } } },
            InNetworkFilter),
        Filter(new Router()),
        Filter(new HTTPFault()),
        Filter(new Cors.Cors()),
        Filter(new HeaderMutation()),
        Filter(new Envoy.Extensions.Filters.Http.Buffer.V3.Buffer { MaxRequestBytes = 9 }),
        Filter(new LocalRateLimit { StatPrefix = "x" }),
        Filter(new StatefulSession()),
        Filter(new JwtAuthentication
        {
            Providers = { ["p"] = new JwtProvider { LocalJwks = FieldSampleTable.Keys }, ["q"] = new JwtProvider { Issuer = "q", LocalJwks = FieldSampleTable.Keys } },
            RequirementMap = { ["r"] = new JwtRequirement { ProviderName = "p" } },
        }),
        Filter(new ExtAuthz { HttpService = new() { ServerUri = FieldSampleTable.Authorizer } }),
        new(() => new JwtProvider { LocalJwks = FieldSampleTable.Keys }, m => Filter(new JwtAuthentication()).Decode(new JwtAuthentication { Providers = { ["p"] = (JwtProvider)m } })),
        RouteFilter(new PerRouteConfig { RequirementName = "s" }),
        RouteFilter(new ExtAuthzPerRoute { CheckSettings = new() }),
        RouteFilter(new Cors.CorsPolicy()),
        RouteFilter(new HeaderMutationPerRoute()),
        RouteFilter(new BufferPerRoute { Buffer = new() { MaxRequestBytes = 9 } }),
        RouteFilter(new StatefulSessionPerRoute { StatefulSession = new() }),
        RouteFilter(new FilterConfig { Config = Any.Pack(new Cors.CorsPolicy()) }),
        Session(new CookieBasedSessionState { Cookie = new() { Name = "s" } }),
        Session(new HeaderBasedSessionState { Name = "s" }),
    ];

    private static Resource Decode(IMessage message) => (Resource)ClusterType.Instance.Decode(message.ToByteString(), out _);

    private static Resource InCluster(Action<Cluster> configure)
    {
        var cluster = Resources.Cluster("c");
        configure(cluster);
        return Decode(cluster);
    }

    private static FieldSite Policy<T>(T policy)
        where T : IMessage<T>, IDeepCloneable<T>
        => new(() => policy.Clone(), m => InCluster(c => c.LoadBalancingPolicy = List(m)));

    private static LoadBalancingPolicy List(IMessage policy) => new()
    {
        Policies = { new LoadBalancingPolicy.Types.Policy { TypedExtensionConfig = new TypedExtensionConfig { Name = "x", TypedConfig = Any.Pack(policy) } } },
    };

    private static FieldSite InRetry<T>(T config, Action<RetryPolicy, Any> add)
        where T : IMessage<T>, IDeepCloneable<T>
        => new(() => config.Clone(), m =>
        {
            var retry = new RetryPolicy { RetryOn = "5xx" };
            add(retry, Any.Pack(m));
            return InRoute(route => route.Route_.RetryPolicy = retry);
        });

    private static Resource InRoute(Action<Route> configure)
    {
        var routes = Resources.Routes("r", Resources.Prefix("/", "c"));
        configure(routes.VirtualHosts[0].Routes[0]);
        return (Resource)RouteConfigurationType.Instance.Decode(routes.ToByteString(), out _);
    }

    private static FieldSite Filter<T>(T filter)
        where T : IMessage<T>, IDeepCloneable<T>
        => new(() => filter.Clone(), InFilters);

    private static Resource InFilters(IMessage filter)
    {
        var manager = Resources.Listener("l", "r").ApiListener.ApiListener_.Unpack<HttpConnectionManager>();
        var packed = new HttpFilter { Name = "x", TypedConfig = Any.Pack(filter) };
        if (filter is Router)
        {
            manager.HttpFilters[0] = packed;
        }
        else
        {
            manager.HttpFilters.Insert(0, packed);
        }

        return InListener(manager);
    }

    private static Policy AnyPolicy() => new() { Permissions = { new Permission { DestinationPort = 80 } }, Principals = { new Principal { Authenticated = new() } } };

    private static Resource InRules(IMessage rules) => InFilters(new Rbac { Rules = (RBAC)rules });

    private static Resource InNetworkFilter(IMessage filter)
    {
        var listener = new Listener
        {
            Name = "l",
            TrafficDirection = TrafficDirection.Inbound,
            FilterChains =
            {
                new FilterChain
                {
                    Filters =
                    {
                        new Filter { Name = "rbac", TypedConfig = Any.Pack(filter) },
                        new Filter { Name = "tcp", TypedConfig = Any.Pack(new TcpProxy { StatPrefix = "s", Cluster = "InboundPassthroughCluster" }) },
                    },
                },
            },
        };
        return (Resource)ListenerType.Instance.Decode(listener.ToByteString(), out _);
    }

    private static FieldSite Session<T>(T state)
        where T : IMessage<T>, IDeepCloneable<T>
        => new(() => state.Clone(), m => InFilters(new StatefulSession { SessionState = new TypedExtensionConfig { Name = "x", TypedConfig = Any.Pack(m) } }));

    private static FieldSite RouteFilter<T>(T filter)
        where T : IMessage<T>, IDeepCloneable<T>
        => new(() => filter.Clone(), m => InRoute(route => route.TypedPerFilterConfig["x"] = Any.Pack(m)));

    private static FilterChain TcpChain() => new() { Filters = { new Filter { Name = "tcp", TypedConfig = Any.Pack(new TcpProxy { StatPrefix = "s", Cluster = "c" }) } } };

    private static Resource InTcpListener(Action<Listener> configure)
    {
        var listener = new Listener { Name = "l", FilterChains = { TcpChain() } };
        configure(listener);
        return (Resource)ListenerType.Instance.Decode(listener.ToByteString(), out _);
    }

    private static FieldSite Tracer<T>(T tracer)
        where T : IMessage<T>, IDeepCloneable<T>
        => new(() => tracer.Clone(), InTracer);

    private static Resource InTracer(IMessage tracer)
    {
        var manager = Resources.Listener("l", "r").ApiListener.ApiListener_.Unpack<HttpConnectionManager>();
        manager.Tracing = new() { Provider = new() { Name = "t", TypedConfig = Any.Pack(tracer) } };
        return InListener(manager);
    }

    private static Resource InSampler(IMessage sampler) => InTracer(new OpenTelemetryConfig
    {
        HttpService = new() { HttpUri = FieldSampleTable.Authorizer },
        Sampler = new() { Name = "x", TypedConfig = Any.Pack(sampler) },
    });

    private static Resource InListener(IMessage manager)
        => (Resource)ListenerType.Instance.Decode(new Listener { Name = "l", ApiListener = new ApiListener { ApiListener_ = Any.Pack(manager) } }.ToByteString(), out _);
}
