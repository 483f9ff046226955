using System.Net;

namespace Mesh.DataPlane.Inbound.Http;

/// <summary>What a connection manager does to requests before its filters see them, and to responses after that. The defaults are Envoy's.</summary>
internal sealed record InboundHttpSettings
{
    /// <summary><c>normalize_path</c>: paths are read as RFC 3986 has it, without dots and without escapes that need not be.</summary>
    public bool NormalizesPath { get; init; }

    /// <summary><c>merge_slashes</c>.</summary>
    public bool MergesSlashes { get; init; }

    /// <summary><c>path_with_escaped_slashes_action</c>.</summary>
    public EscapedSlashesAction EscapedSlashes { get; init; }

    /// <summary><c>strip_any_host_port</c>.</summary>
    public bool StripsAnyPort { get; init; }

    /// <summary><c>strip_matching_host_port</c>: of the port that the listener is on.</summary>
    public bool StripsOwnPort { get; init; }

    /// <summary><c>strip_trailing_host_dot</c>.</summary>
    public bool StripsTrailingDot { get; init; }

    /// <summary><c>common_http_protocol_options.headers_with_underscores_action</c>.</summary>
    public UnderscoresAction Underscores { get; init; }

    /// <summary><c>max_request_headers_kb</c> in bytes; <see langword="null"/> where only the server's own limit counts.</summary>
    public int? MaxHeadersLength { get; init; }

    /// <summary><c>common_http_protocol_options.max_headers_count</c>; <see langword="null"/> where only the server's own limit counts.</summary>
    public int? MaxHeadersCount { get; init; }

    /// <summary><c>use_remote_address</c>: whoever connects is the caller, or a proxy that is told of by its place in <c>x-forwarded-for</c>.</summary>
    public bool UsesRemoteAddress { get; init; }

    /// <summary><c>xff_num_trusted_hops</c>.</summary>
    public int TrustedHops { get; init; }

    /// <summary><c>skip_xff_append</c>.</summary>
    public bool SkipsForwardedFor { get; init; }

    /// <summary><c>append_x_forwarded_port</c>.</summary>
    public bool AppendsForwardedPort { get; init; }

    /// <summary><c>internal_address_config.cidr_ranges</c>: whose <c>x-envoy-*</c> headers are heeded. Nobody's unless it is said.</summary>
    public IPNetwork[] InternalAddresses { get; init; } = [];

    /// <summary><c>internal_only_headers</c> of the routes: removed from what does not come from there.</summary>
    public string[] InternalOnlyHeaders { get; init; } = [];

    /// <summary>The router's <c>strict_check_headers</c>: a request is refused in which one of them has a value that is none.</summary>
    public string[] StrictHeaders { get; init; } = [];

    public ForwardedClientCert ClientCert { get; init; } = ForwardedClientCert.Sanitize;

    /// <summary>What it says of access logs, traces and metrics.</summary>
    public Telemetry.SignalSettings Signals { get; init; } = Telemetry.SignalSettings.Default;

    /// <summary><c>preserve_external_request_id</c>.</summary>
    public bool PreservesExternalRequestId { get; init; }

    /// <summary><c>always_set_request_id_in_response</c>.</summary>
    public bool ReturnsRequestId { get; init; }

    /// <summary><c>server_name</c>; <see langword="null"/> leaves the header <c>server</c> to the application's server, whatever else is said.</summary>
    public string? ServerName { get; init; }

    /// <summary><c>server_header_transformation</c> is not <c>OVERWRITE</c>: what the application has set stays.</summary>
    public bool KeepsServerHeader { get; init; }

    /// <summary><c>via</c>; empty for none.</summary>
    public string Via { get; init; } = "";

    /// <summary>Whether a response is changed whatever its route and filters say.</summary>
    public bool ChangesResponses => ReturnsRequestId || ServerName is not null || Via.Length > 0;
}
