using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Inbound.Http;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.AccessLogs;
using Mesh.DataPlane.Telemetry.Metrics;
using Mesh.DataPlane.Telemetry.Tracing;
using Mesh.Xds.Client;
using EnvoyRouter = Envoy.Extensions.Filters.Http.Router.V3.Router;
using HeadersWithUnderscores = Envoy.Config.Core.V3.HttpProtocolOptions.Types.HeadersWithUnderscoresAction;
using PathWithEscapedSlashes = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.PathWithEscapedSlashesAction;
using ServerHeader = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.ServerHeaderTransformation;

namespace Mesh.DataPlane.Inbound;

/// <summary>
/// Decodes the <c>HttpConnectionManager</c> of an inbound filter chain. What decides who the caller is taken for, or which path is looked at, is
/// honoured or refused; of the rest the notes tell what this process does not do.
/// </summary>
internal static class InboundHttpCompiler
{
    private static readonly HashSet<string> Honoured =
    [
        "stat_prefix", "codec_type", "route_config", "http_filters", "common_http_protocol_options", "normalize_path", "merge_slashes", "path_with_escaped_slashes_action",
        "strip_any_host_port", "strip_matching_host_port", "strip_trailing_host_dot", "use_remote_address", "xff_num_trusted_hops", "skip_xff_append",
        "append_x_forwarded_port", "internal_address_config", "forward_client_cert_details", "set_current_client_cert_details", "generate_request_id",
        "preserve_external_request_id", "always_set_request_id_in_response", "server_name", "server_header_transformation", "via", "max_request_headers_kb", "tracing", "request_id_extension", "access_log",
    ];

    private static readonly Dictionary<string, string> Refused = new(StringComparer.Ordinal)
    {
        ["rds"] = "is not supported: the routes of an inbound listener are inline",
        ["scoped_routes"] = "is not supported: the routes of an inbound listener are inline",
        ["original_ip_detection_extensions"] = "is not supported, and without it somebody else would be taken for the caller; use_remote_address and xff_num_trusted_hops are",
        ["early_header_mutation_extensions"] = "is not supported, and policies would read other headers than they are meant to",
        ["forward_client_cert_matcher"] = "is not supported, and the application would be told of another caller; forward_client_cert_details is",
        ["path_normalization_options"] = "is not supported, and policies would read another path than they are meant to; normalize_path and merge_slashes are",
        ["typed_header_validation_config"] = "is not supported, and headers would pass that are not meant to",
    };

    private static readonly HashSet<string> RouterHonoured = ["strict_check_headers", "suppress_envoy_headers"];

    private static readonly string[] StrictlyChecked =
    [
        "x-envoy-upstream-rq-timeout-ms", "x-envoy-upstream-rq-per-try-timeout-ms", "x-envoy-max-retries", "x-envoy-retry-on", "x-envoy-retry-grpc-on",
    ];

    /// <exception cref="ResourceRejectedException">It breaks a rule, or asks for what would let the wrong requests pass if it were left out.</exception>
    public static InboundHttp Compile(Any config, string path, FilterTypes filterTypes, ICollection<string> notes)
    {
        var manager = WireMessage.Parse(HttpConnectionManager.Parser, config.Value, path);
        if (manager.StatPrefix.Length == 0)
        {
            // Required by Envoy's rules, left out by Istio's gRPC generator, and missed by nobody here.
            manager.StatPrefix = "inbound";
        }

        Note(WireMessage.Validate(manager, config.Value, HttpConnectionManager.Parser, path));
        foreach (var (field, reason) in Refused)
        {
            if (IsSet(manager, field))
            {
                throw new ResourceRejectedException($"{path}.{field}", reason);
            }
        }

        if (manager.RouteConfig is null)
        {
            throw new ResourceRejectedException(path + ".route_config", "must be set");
        }

        Note(NotHonoured(manager, path, Honoured));
        if (manager.CommonHttpProtocolOptions is { } common)
        {
            Note(NotHonoured(common, path + ".common_http_protocol_options", ["headers_with_underscores_action", "max_headers_count"]));
        }

        if (manager.InternalAddressConfig?.UnixSockets == true)
        {
            notes.Add($"{path}.internal_address_config.unix_sockets is not applied: what comes in by a socket file does not pass the mesh");
        }

        var router = manager.HttpFilters.LastOrDefault(f => f.TypedConfig?.Is(EnvoyRouter.Descriptor) == true)?.TypedConfig.Unpack<EnvoyRouter>();
        if (router is not null)
        {
            Note(NotHonoured(router, path + ".http_filters", RouterHonoured));
        }

        var filters = ListenerFilterCompiler.Compile(manager.HttpFilters, path + ".http_filters", filterTypes, notes, namesMayRecur: true);
        var routes = RouteConfigurationType.Compile(manager.RouteConfig, path + ".route_config.", filterTypes, isInbound: true);
        Note(routes.Notes.Where(n => !n.EndsWith(HeaderMutationsCompiler.ForIncoming, StringComparison.Ordinal)));
        Note(InboundRoutes.NotHonoured(routes, path + ".route_config"));
        return new InboundHttp(routes, filters, Settings(manager, router, path, notes));

        void Note(IEnumerable<string> told)
        {
            foreach (var note in told)
            {
                notes.Add(note);
            }
        }
    }

    private static InboundHttpSettings Settings(HttpConnectionManager manager, EnvoyRouter? router, string path, ICollection<string> notes) => new()
    {
        Signals = new SignalSettings
        {
            StatPrefix = manager.StatPrefix,
            Tracing = TracingCompiler.Compile(manager, path, notes),
            Stats = StatsSettingsCompiler.Find(manager.HttpFilters, path + ".http_filters", notes),
            AccessLogs = AccessLogCompiler.Compile(manager.AccessLog, path + ".access_log", notes, ofRequests: true),
        },
        NormalizesPath = manager.NormalizePath ?? false,
        MergesSlashes = manager.MergeSlashes,
        EscapedSlashes = manager.PathWithEscapedSlashesAction switch
        {
            PathWithEscapedSlashes.RejectRequest => EscapedSlashesAction.Reject,
            PathWithEscapedSlashes.UnescapeAndRedirect => EscapedSlashesAction.UnescapeAndRedirect,
            PathWithEscapedSlashes.UnescapeAndForward => EscapedSlashesAction.UnescapeAndForward,
            PathWithEscapedSlashes.ImplementationSpecificDefault or PathWithEscapedSlashes.KeepUnchanged => EscapedSlashesAction.Keep,
            _ => throw new ResourceRejectedException(path + ".path_with_escaped_slashes_action", $"{manager.PathWithEscapedSlashesAction} is not a known value"),
        },
        StripsAnyPort = manager.StripAnyHostPort,
        StripsOwnPort = manager.StripMatchingHostPort,
        StripsTrailingDot = manager.StripTrailingHostDot,
        Underscores = manager.CommonHttpProtocolOptions?.HeadersWithUnderscoresAction switch
        {
            null or HeadersWithUnderscores.Allow => UnderscoresAction.Allow,
            HeadersWithUnderscores.RejectRequest => UnderscoresAction.Reject,
            HeadersWithUnderscores.DropHeader => UnderscoresAction.Drop,
            var other => throw new ResourceRejectedException(path + ".common_http_protocol_options.headers_with_underscores_action", $"{other} is not a known value"),
        },
        MaxHeadersLength = (int?)manager.MaxRequestHeadersKb * 1024,
        MaxHeadersCount = (int?)manager.CommonHttpProtocolOptions?.MaxHeadersCount,
        UsesRemoteAddress = manager.UseRemoteAddress ?? false,
        TrustedHops = (int)Math.Min(manager.XffNumTrustedHops, int.MaxValue),
        SkipsForwardedFor = manager.SkipXffAppend,
        AppendsForwardedPort = manager.AppendXForwardedPort,
        InternalAddresses = [.. (manager.InternalAddressConfig?.CidrRanges ?? []).Select((range, i) => Network(range, $"{path}.internal_address_config.cidr_ranges[{i}]"))],
        InternalOnlyHeaders = [.. manager.RouteConfig.InternalOnlyHeaders.Select((name, i) => Header(name, $"{path}.route_config.internal_only_headers[{i}]"))],
        StrictHeaders = [.. (router?.StrictCheckHeaders ?? []).Select(name => Strict(name, path))],
        ClientCert = ForwardedClientCertCompiler.Compile(manager, path),
        PreservesExternalRequestId = manager.PreserveExternalRequestId,
        ReturnsRequestId = manager.AlwaysSetRequestIdInResponse,
        ServerName = manager.ServerName.Length > 0 && manager.ServerHeaderTransformation != ServerHeader.PassThrough ? manager.ServerName : null,
        KeepsServerHeader = manager.ServerHeaderTransformation == ServerHeader.AppendIfAbsent,
        Via = HeaderValues.IsSafe(manager.Via) ? manager.Via : throw new ResourceRejectedException(path + ".via", "must not contain control characters"),
    };

    private static string Strict(string name, string path)
        => StrictlyChecked.Contains(name.ToLowerInvariant())
            ? name.ToLowerInvariant()
            : throw new ResourceRejectedException(path + ".http_filters.strict_check_headers", $"'{name}' is none of {string.Join(", ", StrictlyChecked)}");

    private static string Header(string name, string path)
        => Matching.HeaderName.IsValid(name) ? name : throw new ResourceRejectedException(path, $"'{name}' is no header name");

    private static IPNetwork Network(CidrRange range, string path)
    {
        if (!IPAddress.TryParse(range.AddressPrefix, out var address))
        {
            throw new ResourceRejectedException(path + ".address_prefix", $"'{range.AddressPrefix}' is not an IP address");
        }

        var bytes = address.GetAddressBytes();
        var length = range.PrefixLen ?? 0;
        if (length > bytes.Length * 8)
        {
            throw new ResourceRejectedException(path + ".prefix_len", $"{length} is longer than the address");
        }

        // Envoy leaves out what lies behind the prefix; IPNetwork would refuse it.
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] &= (byte)(0xFF << (8 - Math.Clamp((int)length - (i * 8), 0, 8)));
        }

        return new IPNetwork(new IPAddress(bytes), (int)length);
    }

    private static IEnumerable<string> NotHonoured(IMessage message, string path, HashSet<string> honoured)
        => message.Descriptor.Fields.InDeclarationOrder()
            .Where(f => !honoured.Contains(f.Name) && !(message is HttpConnectionManager && Refused.ContainsKey(f.Name)) && IsSet(message, f.Name))
            .Select(f => $"{path}.{f.Name} is not applied: it is the server's own affair, or does not exist in process");

    private static bool IsSet(IMessage message, string field)
        => message.Descriptor.FindFieldByName(field).Accessor.GetValue(message) switch
        {
            null or System.Collections.ICollection { Count: 0 } or false or "" or 0u => false,

            // No limit, which is what there is.
            Duration { Seconds: 0, Nanos: 0 } => false,

            // The server takes WebSockets wherever the application does.
            IEnumerable<HttpConnectionManager.Types.UpgradeConfig> upgrades => !upgrades.All(
                u => u.UpgradeType.Equals("websocket", StringComparison.OrdinalIgnoreCase) && u.Enabled != false && u.Filters.Count == 0),
            System.Enum e => Convert.ToInt32(e, System.Globalization.CultureInfo.InvariantCulture) != 0,
            _ => true,
        };
}
