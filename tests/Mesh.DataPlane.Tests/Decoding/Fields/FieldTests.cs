namespace Mesh.DataPlane.Tests.Decoding.Fields;

/// <summary>
/// Of every field that may arrive: what was decoded is another, or the resource's notes name it, or the resource is refused. The table
/// <c>fields.txt</c> says which; a field that is new to the protos, or treated otherwise than before, is a line that differs.
/// </summary>
public sealed class FieldTests
{
    // What says nothing of requests, and what says nothing that is not said elsewhere.
    private static readonly Dictionary<string, string> _nothingToDo = new(StringComparer.Ordinal)
    {
        ["envoy.config.cluster.v3.Cluster.metadata"] = "described, not asked",
        ["envoy.config.core.v3.Http2ProtocolOptions.allow_connect"] = "extended CONNECT is spoken to whoever allows it",
        ["envoy.config.endpoint.v3.ClusterLoadAssignment.Policy.DropOverload.category"] = "a name for statistics",
        ["envoy.config.listener.v3.FilterChain.metadata"] = "described, not asked",
        ["envoy.config.listener.v3.Listener.address"] = "every listener has one, and at an API listener nobody listens",
        ["envoy.config.listener.v3.Listener.metadata"] = "described, not asked",
        ["envoy.config.listener.v3.Listener.stat_prefix"] = "a name for statistics",
        ["envoy.config.listener.v3.Listener.traffic_direction"] = "described, not asked",
        ["envoy.config.listener.v3.ListenerFilter.name"] = "typed_config says which it is",
        ["envoy.config.rbac.v3.RBAC.AuditLoggingOptions.AuditLoggerConfig.is_optional"] = "for loggers that are not known, which has a test of its own",
        ["envoy.config.route.v3.FilterConfig.is_optional"] = "for types that are not known, which has a test of its own",
        ["envoy.config.route.v3.RateLimit.Action.GenericKey.default_value"] = "for when there is no descriptor_value, which there must be",
        ["envoy.config.route.v3.RetryPolicy.RetryHostPredicate.name"] = "typed_config says which it is",
        ["envoy.config.route.v3.RetryPolicy.RetryPriority.name"] = "typed_config says which it is",
        ["envoy.config.route.v3.Route.metadata"] = "described, not asked",
        ["envoy.config.route.v3.Route.stat_prefix"] = "a name for statistics",
        ["envoy.config.route.v3.RouteConfiguration.metadata"] = "described, not asked",
        ["envoy.config.route.v3.VirtualHost.metadata"] = "described, not asked",
        ["envoy.config.trace.v3.ZipkinConfig.trace_id_128bit"] = "trace ids have 128 bits in any case",
        ["envoy.config.route.v3.WeightedCluster.total_weight"] = "the sum of the weights counts, as in Envoy",
        ["envoy.extensions.filters.http.ext_authz.v3.ExtAuthz.transport_api_version"] = "must be V3 for gRPC, which has a test of its own",
        ["envoy.extensions.filters.network.ext_authz.v3.ExtAuthz.transport_api_version"] = "must be V3, which has a test of its own",
        ["envoy.extensions.filters.http.fault.v3.HTTPFault.disable_downstream_cluster_stats"] = "statistics",
        ["envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit.stat_prefix"] = "a label of metrics, and nothing else",
        ["envoy.extensions.filters.http.stateful_session.v3.StatefulSession.stat_prefix"] = "a name for statistics",
        ["envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector.initial_read_buffer_size"] = "how a buffer grows",
        ["envoy.config.core.v3.WatchedDirectory.path"] = "files are read for every handshake, however they change",
        ["envoy.config.core.v3.WatchedDirectory.watch_modify"] = "files are read for every handshake, however they change",
        ["envoy.extensions.rbac.principals.mtls_authenticated.v3.Config.any_validated_client_certificate"] = "for when there is no san_matcher, which has a test of its own",
        ["envoy.extensions.transport_sockets.tls.v3.CommonTlsContext.CombinedCertificateValidationContext.default_validation_context"] = "kept as it came, and merged with the secret's",
        ["envoy.extensions.transport_sockets.tls.v3.CertificateProviderPluginInstance.certificate_name"] = "every instance is the workload's own certificate or authorities",
        ["envoy.extensions.transport_sockets.tls.v3.CertificateProviderPluginInstance.instance_name"] = "every instance is the workload's own certificate or authorities",
        ["envoy.extensions.transport_sockets.tls.v3.CommonTlsContext.CertificateProviderInstance.certificate_name"] = "every instance is the workload's own certificate or authorities",
        ["envoy.extensions.transport_sockets.tls.v3.CommonTlsContext.CertificateProviderInstance.instance_name"] = "every instance is the workload's own certificate or authorities",
        ["envoy.extensions.transport_sockets.tls.v3.Secret.validation_context"] = "kept as it came, and merged with the cluster's",
        ["envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext.watched_directory"] = "files are read for every handshake, however they change",
        ["envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.codec_type"] = "how callers speak to a proxy; here they do not",
        ["envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter.is_optional"] = "for types that are not known, which has a test of its own",
    };

    private readonly FieldWalk _walk = new("envoy.config.accesslog.v3.AccessLog");

    public FieldTests()
    {
        foreach (var site in FieldSites.All)
        {
            _walk.Go(site);
        }
    }

    [Fact]
    public void Every_field_can_be_set_by_itself() => _walk.Problems.ShouldBeEmpty();

    [Fact]
    public void Nothing_is_ignored_in_silence()
        => _walk.Outcomes.Where(o => o.Value == FieldOutcome.Ignored).Select(o => o.Key).ShouldBe(_nothingToDo.Keys, ignoreOrder: true);

    [Fact]
    public void The_table_says_what_becomes_of_every_field()
    {
        using var reader = new StreamReader(typeof(FieldTests).Assembly.GetManifestResourceStream("fields.txt")!);
        var expected = reader.ReadToEnd().Split('\n');

        var actual = FieldTable.Of(_walk).Split('\n');

        var differences = expected.Except(actual).Select(l => "- " + l).Concat(actual.Except(expected).Select(l => "+ " + l));
        string.Join('\n', differences).ShouldBeEmpty("if that is as it should be, it belongs into Decoding/Fields/fields.txt, and into docs/features.md");
    }
}
