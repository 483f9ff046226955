using Envoy.Config.Core.V3;
using Envoy.Extensions.Filters.Http.ExtAuthz.V3;
using Envoy.Type.Matcher.V3;
using Mesh.DataPlane.Calls;
using Mesh.DataPlane.Filters.HeaderMutation;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using Message = Envoy.Extensions.Filters.Http.ExtAuthz.V3.ExtAuthz;
using HttpService = Envoy.Extensions.Filters.Http.ExtAuthz.V3.HttpService;

namespace Mesh.DataPlane.Filters.ExtAuthz;

/// <summary>Compiles <c>ExtAuthz</c>. What is not honoured is refused, but for what only counts.</summary>
internal static class ExtAuthzCompiler
{
    // Envoy's default for gRPC.
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromMilliseconds(200);

    private const string LabelsKey = "LABELS";

    public static ExtAuthzSettings Compile(Message message, string path, ICollection<string> notes)
    {
        FieldRules.Refuse(message.TypedMetadataContextNamespaces.Count > 0, path + ".typed_metadata_context_namespaces");
        FieldRules.Refuse(message.RouteMetadataContextNamespaces.Count > 0, path + ".route_metadata_context_namespaces");
        FieldRules.Refuse(message.RouteTypedMetadataContextNamespaces.Count > 0, path + ".route_typed_metadata_context_namespaces");
        FieldRules.Refuse(message.EnforceResponseHeaderLimits, path + ".enforce_response_header_limits");
        FieldRules.Refuse(message.ShadowMode, path + ".shadow_mode");
        foreach (var (isSet, field) in new[]
            {
                (message.ChargeClusterResponseStats is not null, "charge_cluster_response_stats"),
                (message.EmitFilterStateStats, "emit_filter_state_stats"),
                (message.FilterMetadata is not null, "filter_metadata"),
            })
        {
            if (isSet)
            {
                notes.Add($"{path}.{field} is not applied: the filter counts for its connection manager alone");
            }
        }

        IAuthorizer authorizer = message.ServicesCase switch
        {
            Message.ServicesOneofCase.GrpcService => Grpc(message.GrpcService, path + ".grpc_service", notes),
            Message.ServicesOneofCase.HttpService => Http(message.HttpService, path + ".http_service", notes),
            _ => throw new ResourceRejectedException(path, "one of grpc_service and http_service must be set"),
        };
        if (message.ServicesCase == Message.ServicesOneofCase.GrpcService && message.TransportApiVersion != ApiVersion.V3)
        {
            throw new ResourceRejectedException(path + ".transport_api_version", "must be V3");
        }

        return new ExtAuthzSettings
        {
            StatPrefix = message.StatPrefix,
            Authorizer = authorizer,
            FailureModeAllow = message.FailureModeAllow,
            MarksFailureModeAllow = message.FailureModeAllowHeaderAdd,
            StatusOnError = message.StatusOnError is { } status ? Status((int)status.Code, path + ".status_on_error.code") : 403,
            Body = Body(message.WithRequestBody),
            ClearsRouteCache = message.ClearRouteCache,
            Enabled = FilterFraction.Compile(message.FilterEnabled, path + ".filter_enabled", notes),
            EnabledMetadata = message.FilterEnabledMetadata is { } matcher ? MatcherCompiler.Metadata(matcher, path + ".filter_enabled_metadata") : null,
            DeniesAtDisable = Flag(message.DenyAtDisable, path + ".deny_at_disable", notes),
            Context = Context(message, path, notes),
            RequestRules = message.DecoderHeaderMutationRules is { } rules ? new MutationRules(rules, path + ".decoder_header_mutation_rules") : null,
            ValidatesMutations = message.ValidateMutations,
            TakesMetadata = message.EnableDynamicMetadataIngestion ?? true,
            MaxDeniedBytes = (int)Math.Min(message.MaxDeniedResponseBodyBytes, int.MaxValue),
        };
    }

    public static ExtAuthzRoute Compile(ExtAuthzPerRoute message, string path, ICollection<string> notes)
    {
        switch (message.OverrideCase)
        {
            case ExtAuthzPerRoute.OverrideOneofCase.Disabled:
                return message.Disabled ? new ExtAuthzRoute(Disabled: true) : throw new ResourceRejectedException(path + ".disabled", "must be true where it is set");
            case ExtAuthzPerRoute.OverrideOneofCase.CheckSettings:
                break;
            default:
                throw new ResourceRejectedException(path, "one of disabled and check_settings must be set");
        }

        var settings = message.CheckSettings;
        path += ".check_settings";
        if (settings.DisableRequestBodyBuffering && settings.WithRequestBody is not null)
        {
            throw new ResourceRejectedException(path + ".with_request_body", "must not be set beside disable_request_body_buffering");
        }

        return new ExtAuthzRoute(Disabled: false)
        {
            ContextExtensions = settings.ContextExtensions.ToDictionary(StringComparer.Ordinal),
            SkipsBody = settings.DisableRequestBodyBuffering,
            Body = Body(settings.WithRequestBody),
            Authorizer = settings.ServiceOverrideCase switch
            {
                CheckSettings.ServiceOverrideOneofCase.GrpcService => (IAuthorizer)Grpc(settings.GrpcService, path + ".grpc_service", notes),
                CheckSettings.ServiceOverrideOneofCase.HttpService => Http(settings.HttpService, path + ".http_service", notes),
                _ => null,
            },
        };
    }

    /// <summary>Whether a metadata key of the node is that of its labels; another one is told.</summary>
    public static bool IncludesLabels(string key, string path, ICollection<string> notes)
    {
        if (key.Length > 0 && key != LabelsKey)
        {
            notes.Add($"{path}.bootstrap_metadata_labels_key: the node has no metadata '{key}', labels are under {LabelsKey}");
        }

        return key == LabelsKey;
    }

    private static ContextSettings Context(Message message, string path, ICollection<string> notes)
    {
        return new ContextSettings
        {
            Allowed = AllowedHeaders(message, path),
            Disallowed = HeaderKeys.Compile(message.DisallowedHeaders, path + ".disallowed_headers"),
            RawHeaders = message.EncodeRawHeaders,
            MetadataNamespaces = [.. message.MetadataContextNamespaces],
            IncludesPeerCertificate = message.IncludePeerCertificate,
            IncludesTlsSession = message.IncludeTlsSession,
            IncludesLabels = IncludesLabels(message.BootstrapMetadataLabelsKey, path, notes),
        };
    }

    // Over HTTP some headers are always told, and the others are not unless they are named; over gRPC all are where none is named.
    private static HeaderKeys? AllowedHeaders(Message message, string path)
    {
        if (message.ServicesCase != Message.ServicesOneofCase.HttpService)
        {
            return message.AllowedHeaders is { } named ? HeaderKeys.Compile(named, path + ".allowed_headers") : null;
        }

#pragma warning disable CS0612 // What older control planes send.
        var older = message.HttpService.AuthorizationRequest?.AllowedHeaders;
#pragma warning restore CS0612
        if (older is not null && message.AllowedHeaders is not null)
        {
            throw new ResourceRejectedException(path + ".allowed_headers", "must not be set beside http_service.authorization_request.allowed_headers");
        }

        return HeaderKeys.Compile(message.AllowedHeaders ?? older, path + ".allowed_headers", "authorization", ":method", ":path", ":authority", ":scheme", "host", "content-length");
    }

    private static BodySettings? Body(BufferSettings? message)
        => message is null ? null : new BodySettings((int)Math.Min(message.MaxRequestBytes, int.MaxValue), message.AllowPartialMessage, message.PackAsBytes);

    public static GrpcAuthorizer Grpc(GrpcService message, string path, ICollection<string> notes)
        => new(
            CallCompiler.Grpc(message, path, DefaultTimeout, notes),
            [.. message.InitialMetadata.Select((h, i) => Header(h, $"{path}.initial_metadata[{i}]", notes))]);

    private static HttpAuthorizer Http(HttpService message, string path, ICollection<string> notes)
    {
        if (message.ServerUri is not { } server)
        {
            throw new ResourceRejectedException(path + ".server_uri", "must be set");
        }

        foreach (var (text, field) in new[] { (message.PathPrefix, "path_prefix"), (message.PathOverride, "path_override") })
        {
            if (text.Length > 0 && !Mesh.Filters.HeaderSyntax.IsTarget(text))
            {
                throw new ResourceRejectedException($"{path}.{field}", $"'{text}' is not a path: it must begin with '/'");
            }
        }

        if (message.PathPrefix.Length > 0 && message.PathOverride.Length > 0)
        {
            throw new ResourceRejectedException(path + ".path_override", "must not be set beside path_prefix");
        }

        var (_, timeout) = CallCompiler.Uri(server, path + ".server_uri");
        var response = message.AuthorizationResponse;
        var at = path + ".authorization_response";
        return new HttpAuthorizer(new ClusterTarget(server.Cluster, timeout, CallCompiler.Retry(message.RetryPolicy, path + ".retry_policy", notes)))
        {
            PathPrefix = message.PathPrefix,
            PathOverride = message.PathOverride,
            HeadersToAdd = [.. (message.AuthorizationRequest?.HeadersToAdd ?? []).Select((h, i) => Header(h, $"{path}.authorization_request.headers_to_add[{i}]", notes))],
            Upstream = HeaderKeys.Compile(response?.AllowedUpstreamHeaders, at + ".allowed_upstream_headers"),
            UpstreamToAppend = HeaderKeys.Compile(response?.AllowedUpstreamHeadersToAppend, at + ".allowed_upstream_headers_to_append"),
            Client = response?.AllowedClientHeaders is { Patterns.Count: > 0 } client
                ? HeaderKeys.Compile(client, at + ".allowed_client_headers", "www-authenticate", "proxy-authenticate", "location")
                : null,
            ClientOnSuccess = HeaderKeys.Compile(response?.AllowedClientHeadersOnSuccess, at + ".allowed_client_headers_on_success"),
            MetadataHeaders = HeaderKeys.Compile(response?.DynamicMetadataFromHeaders, at + ".dynamic_metadata_from_headers"),
        };
    }

    private static (string Name, HeaderFormat Value) Header(HeaderValue message, string path, ICollection<string> notes)
    {
        var name = message.Key.ToLowerInvariant();
        if (!HeaderName.IsValid(name) || name is "host" or "content-length" or "transfer-encoding" || name.EndsWith("-bin", StringComparison.Ordinal))
        {
            throw new ResourceRejectedException(path + ".key", $"'{message.Key}' cannot be set");
        }

        var text = message.RawValue.IsEmpty ? message.Value : message.RawValue.ToStringUtf8();
        return (name, HeaderActionCompiler.Format(text, path + ".value", notes));
    }

    private static bool Flag(RuntimeFeatureFlag? message, string path, ICollection<string> notes)
    {
        if (message is { RuntimeKey.Length: > 0 })
        {
            notes.Add($"{path}.runtime_key is not looked up: there is no runtime, default_value counts");
        }

        return message?.DefaultValue ?? false;
    }

    private static int Status(int status, string path)
        => status is >= 200 and <= 599 ? status : throw new ResourceRejectedException(path, $"{status} is not the status of a reply");
}
