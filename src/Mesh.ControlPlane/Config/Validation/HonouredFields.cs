namespace Mesh.ControlPlane.Config.Validation;

/// <summary>
/// The fields that this version applies, kind by kind. A line is a path without indices; <c>.*</c> takes all below, and
/// <c>=a|b</c> only these values; <c> -> </c> says what to write instead of one that is not applied. Whatever else a document sets is accepted with a warning, so that nothing is ignored in silence.
/// </summary>
internal static class HonouredFields
{
    public static HonouredFieldSet Service { get; } = new(
        "ports.*",
        "selector",
        // The model tells of ExternalName itself, as of resolutions below: it knows what becomes of the hosts.
        "type",
        "externalName",
        "sessionAffinity=None",
        "internalTrafficPolicy=Cluster",
        "trafficDistribution=PreferClose|PreferSameZone|PreferSameNode",
        // How a cluster gives out addresses and lets the outside in; the mesh routes by name.
        "clusterIP",
        "clusterIPs",
        "ipFamilies",
        "ipFamilyPolicy",
        "externalIPs",
        "externalTrafficPolicy",
        "healthCheckNodePort",
        "allocateLoadBalancerNodePorts",
        "loadBalancerIP",
        "loadBalancerSourceRanges",
        "loadBalancerClass");

    public static HonouredFieldSet Secret { get; } = new("data", "type", "stringData", "immutable");

    public static HonouredFieldSet WorkloadEntry { get; } = new(
        "address",
        "ports",
        "labels",
        "locality",
        "weight",
        "serviceAccount");

    public static HonouredFieldSet ServiceEntry { get; } = new(
        "hosts",
        "addresses",
        "ports.*",
        "location",
        "resolution",
        "endpoints.address",
        "endpoints.ports",
        "endpoints.labels",
        "endpoints.locality",
        "endpoints.weight",
        "endpoints.serviceAccount",
        "workloadSelector.*",
        "subjectAltNames",
        "exportTo");

    public static HonouredFieldSet Sidecar { get; } = new(
        "workloadSelector.*",
        "egress.hosts",
        "egress.port.*",
        "outboundTrafficPolicy.*",
        // The validator tells of these itself: it knows what takes their place in a process.
        "egress.bind",
        "egress.captureMode",
        "ingress.*",
        "inboundConnectionPool.*");

    public static HonouredFieldSet PeerAuthentication { get; } = new("selector.*", "mtls.*", "portLevelMtls");

    // The validator tells of the targets that are for no proxy of this version.
    public static HonouredFieldSet RequestAuthentication { get; } = new("selector.*", "targetRef.*", "targetRefs.*", "jwtRules.*");

    public static HonouredFieldSet AuthorizationPolicy { get; } = new("selector.*", "targetRef.*", "targetRefs.*", "rules.*", "action", "provider.*");

    public static HonouredFieldSet DestinationRule { get; } = new(
    [
        "host",
        .. TrafficPolicy("trafficPolicy"),
        "subsets.name",
        "subsets.labels",
        .. TrafficPolicy("subsets.trafficPolicy"),
        "workloadSelector.*",
        "exportTo",
    ]);

    public static HonouredFieldSet VirtualService { get; } = new(
        "hosts",
        "gateways=mesh",
        "http.name",
        "http.match.name",
        "http.match.uri.*",
        "http.match.scheme.*",
        "http.match.method.*",
        "http.match.authority.*",
        "http.match.headers",
        "http.match.port",
        "http.match.sourceLabels",
        "http.match.gateways=mesh",
        "http.match.queryParams",
        "http.match.ignoreUriCase",
        "http.match.withoutHeaders",
        "http.match.sourceNamespace",
        "http.match.statPrefix",
        "http.route.destination.*",
        "http.route.weight",
        "http.route.headers.*",
        "http.redirect.*",
        "http.directResponse.*",
        "http.delegate.*",
        "http.rewrite.*",
        "http.timeout",
        "http.retries.*",
        "http.fault.delay.percent",
        "http.fault.delay.percentage.*",
        "http.fault.delay.fixedDelay",
        "http.fault.abort.*",
        "http.mirror.*",
        "http.mirrors.*",
        "http.mirrorPercent",
        "http.mirrorPercentage.*",
        "http.corsPolicy.allowOrigin",
        "http.corsPolicy.allowOrigins",
        "http.corsPolicy.allowMethods",
        "http.corsPolicy.allowHeaders",
        "http.corsPolicy.exposeHeaders",
        "http.corsPolicy.maxAge",
        "http.corsPolicy.allowCredentials",
        "http.corsPolicy.unmatchedPreflights",
        "http.headers.*",
        // Connections that are not HTTP: for proxies beside applications, which are told of them by listeners.
        "tcp.match.destinationSubnets",
        "tcp.match.port",
        "tcp.match.sourceSubnet",
        "tcp.match.sourceLabels",
        "tcp.match.gateways=mesh",
        "tcp.match.sourceNamespace",
        "tcp.route.*",
        "tls.match.sniHosts",
        "tls.match.destinationSubnets",
        "tls.match.port",
        "tls.match.sourceLabels",
        "tls.match.gateways=mesh",
        "tls.match.sourceNamespace",
        "tls.route.*",
        "exportTo");

    public static HonouredFieldSet Telemetry { get; } = new(
        "selector.*",
        "targetRef.*",
        "targetRefs.*",
        "tracing.*",
        "metrics.*",
        "accessLogging.*");

    /// <summary>Several networks are not there yet.</summary>
    public static HonouredFieldSet MeshNetworks { get; } = new();

    public static HonouredFieldSet MeshConfig { get; } = new(
    [
        "connectTimeout",
        "protocolDetectionTimeout",
        "tcpKeepalive.*",
        "outboundTrafficPolicy.mode",
        "defaultServiceExportTo",
        "defaultVirtualServiceExportTo",
        "defaultDestinationRuleExportTo",
        "rootNamespace",
        "trustDomain",
        "trustDomainAliases",
        "enableAutoMtls",
        "meshMTLS.minProtocolVersion",
        "meshMTLS.cipherSuites",
        "localityLbSetting.*",
        "zoneAwareLbSetting.*",
        "dnsRefreshRate",
        "outboundClusterStatName",
        "h2UpgradePolicy",
        "pathNormalization.*",
        "defaultHttpRetryPolicy.*",
        "defaultTrafficPolicy.*",
        "extensionProviders.name",
        "extensionProviders.envoyExtAuthzHttp.*",
        "extensionProviders.envoyExtAuthzGrpc.*",
        "extensionProviders.zipkin.*",
        "extensionProviders.opentelemetry.service",
        "extensionProviders.opentelemetry.port",
        "extensionProviders.opentelemetry.maxTagLength",
        "extensionProviders.opentelemetry.http.*",
        "extensionProviders.opentelemetry.grpc.*",
        "extensionProviders.opentelemetry.resourceDetectors.environment.*",
        "extensionProviders.opentelemetry.serviceAttributeEnrichment",
        "extensionProviders.prometheus.*",
        "extensionProviders.envoyFileAccessLog.*",
        "extensionProviders.envoyHttpAls.*",
        "extensionProviders.envoyTcpAls.*",
        "extensionProviders.envoyOtelAls.*",
        "extensionProviders.lightstep -> Lightstep takes OTLP, so declare it as an opentelemetry provider",
        "extensionProviders.datadog -> Datadog's agent takes OTLP, so declare it as an opentelemetry provider",
        "extensionProviders.skywalking -> SkyWalking takes OTLP, so declare it as an opentelemetry provider",
        "extensionProviders.stackdriver -> Google Cloud takes OTLP from a collector, so declare that as an opentelemetry provider",
        "extensionProviders.opencensus -> OpenCensus has ended, and its agents take OTLP: declare an opentelemetry provider",
        "defaultProviders.*",
        "accessLogFile",
        "accessLogFormat",
        "accessLogEncoding",
        "enableEnvoyAccessLogService",
        "enableTracing",
        .. ProxyConfig("defaultConfig."),
    ]);

    public static HonouredFieldSet ProxyConfigDocument { get; } = new(
        "selector.*",
        "environmentVariables",
        "concurrency -> a process schedules its own threads, and there is no proxy beside it",
        "image -> there is no proxy beside a process");

    /// <summary>The annotation <c>proxy.istio.io/config</c>.</summary>
    public static HonouredFieldSet WorkloadProxyConfig { get; } = new([.. ProxyConfig("")]);

    /// <summary>What steers signals and headers; the rest configures the proxy beside a process, and there is none.</summary>
    private static IEnumerable<string> ProxyConfig(string path) =>
    [
        $"{path}envoyAccessLogService.address",
        $"{path}zipkinAddress",
        $"{path}serviceCluster",
        $"{path}tracingServiceName",
        $"{path}meshId",
        $"{path}proxyMetadata",
        $"{path}tracing.zipkin.*",
        $"{path}tracing.customTags.*",
        $"{path}tracing.maxPathTagLength",
        $"{path}tracing.sampling",
        $"{path}tracing.enableIstioTags",
        $"{path}tracing.lightstep -> Lightstep takes OTLP, so declare it as an opentelemetry provider of extensionProviders",
        $"{path}tracing.datadog -> Datadog's agent takes OTLP, so declare it as an opentelemetry provider of extensionProviders",
        $"{path}tracing.stackdriver -> Google Cloud takes OTLP from a collector, so declare that as an opentelemetry provider of extensionProviders",
        $"{path}tracing.openCensusAgent -> OpenCensus has ended, and its agents take OTLP: declare an opentelemetry provider among extensionProviders",
        $"{path}proxyHeaders.requestId.*",
        $"{path}proxyHeaders.attemptCount.*",
        $"{path}proxyHeaders.envoyDebugHeaders.*",
        $"{path}proxyHeaders.forwardedClientCert",
        $"{path}proxyHeaders.setCurrentClientCertDetails.*",
        $"{path}proxyStatsMatcher -> a process counts everything at any time, so there is nothing to be let in",
        $"{path}extraStatTags -> write tagOverrides in a Telemetry, which make tags",
        $"{path}concurrency -> a process schedules its own threads, and there is no proxy beside it",
    ];

    /// <summary>Everything but tunnels and the PROXY protocol.</summary>
    private static IEnumerable<string> TrafficPolicy(string path)
    {
        foreach (var at in new[] { path, $"{path}.portLevelSettings" })
        {
            yield return $"{at}.loadBalancer.*";
            yield return $"{at}.connectionPool.*";
            yield return $"{at}.outlierDetection.*";
            yield return $"{at}.tls.mode=DISABLE|SIMPLE|MUTUAL|ISTIO_MUTUAL";
            yield return $"{at}.tls.clientCertificate";
            yield return $"{at}.tls.privateKey";
            yield return $"{at}.tls.caCertificates";
            yield return $"{at}.tls.caCrl";
            yield return $"{at}.tls.credentialName";
            yield return $"{at}.tls.subjectAltNames";
            yield return $"{at}.tls.sni";
            yield return $"{at}.tls.insecureSkipVerify";
        }

        yield return $"{path}.portLevelSettings.port.*";
        // Not budgetInterval: clients count the requests under way, as budgets of one moment do.
        yield return $"{path}.retryBudget.percent";
        yield return $"{path}.retryBudget.minRetryConcurrency";
    }
}
