using Envoy.Config.Core.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tls;
using Mesh.Xds.Client;
using Mesh.Xds.Validation;
using EnvoyCluster = Envoy.Config.Cluster.V3.Cluster;
using EnvoyOptions = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;

namespace Mesh.DataPlane.Transports;

/// <summary>Compiles what a cluster says of its connections: the newer extension, else the older fields of the cluster itself.</summary>
internal static class TransportSettingsCompiler
{
    private const string OptionsKey = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    private const uint MaxStreamWindow = 16 * 1024 * 1024; // SocketsHttpHandler's
    private static readonly TimeSpan MinKeepalive = TimeSpan.FromSeconds(1);

    /// <summary>What holds of endpoints that nothing else is said of.</summary>
    /// <exception cref="ResourceRejectedException">A value is out of range, or the protocol is not spoken.</exception>
    public static TransportSettings Compile(EnvoyCluster message, ICollection<string> notes) => Compile(message, message.TransportSocket, "transport_socket", notes);

    /// <summary>The same with another socket.</summary>
    /// <exception cref="ResourceRejectedException">A value is out of range, or the protocol is not spoken.</exception>
    public static TransportSettings Compile(EnvoyCluster message, TransportSocket? socket, string socketPath, ICollection<string> notes)
    {
        var connectTimeout = TimerRange.Limit(message.ConnectTimeout?.ToTimeSpan() ?? TimeSpan.FromSeconds(5));
        if (connectTimeout <= TimeSpan.Zero)
        {
            throw new ResourceRejectedException("connect_timeout", "must be greater than 0");
        }

        var settings = new TransportSettings(UpstreamProtocol.Http11, connectTimeout);
#pragma warning disable CS0612 // The older fields count where the extension is absent, as in Envoy.
        var perConnection = (uint?)message.MaxRequestsPerConnection;
        var upstreamOptions = message.UpstreamHttpProtocolOptions;
        var upstreamPath = "upstream_http_protocol_options";
        if (message.TypedExtensionProtocolOptions.TryGetValue(OptionsKey, out var any))
        {
            (settings, upstreamOptions) = WithExtension(settings, any, UpstreamTlsCompiler.IsAsked(socket), notes);
            upstreamPath = $"typed_extension_protocol_options[{OptionsKey}].upstream_http_protocol_options";
        }
        else
        {
            settings = settings with
            {
                Protocol = message.ProtocolSelection == EnvoyCluster.Types.ClusterProtocolSelection.UseDownstreamProtocol ? UpstreamProtocol.Downstream
                    : message.Http2ProtocolOptions is null ? UpstreamProtocol.Http11
                    : UpstreamProtocol.Http2,
            };
            settings = WithCommon(settings, message.CommonHttpProtocolOptions, "common_http_protocol_options", notes);
            settings = WithHttp2(settings, message.Http2ProtocolOptions, "http2_protocol_options", notes);
            Note(message.HttpProtocolOptions, "http_protocol_options", notes);
        }
#pragma warning restore CS0612

        foreach (var key in message.TypedExtensionProtocolOptions.Keys)
        {
            if (key != OptionsKey)
            {
                notes.Add($"typed_extension_protocol_options[{key}] is not known");
            }
        }

        if (settings.MaxRequestsPerConnection == 0 && perConnection is { } older)
        {
            settings = settings with { MaxRequestsPerConnection = older };
        }

        settings = settings with { Tls = UpstreamTlsCompiler.Compile(socket, socketPath, upstreamOptions, upstreamPath, notes) };
        if (settings.Tls is null && message.TransportSocketMatches.Count == 0)
        {
            NoteWithoutTls(upstreamOptions, upstreamPath, notes);
        }

        if (settings.MaxRequestsPerConnection > 0 && settings.Protocol == UpstreamProtocol.Http2)
        {
            notes.Add("max_requests_per_connection: connections of HTTP/2 are not limited");
        }

        return message.UpstreamConnectionOptions?.TcpKeepalive is { } keepalive
            ? settings with { TcpKeepalive = new TcpKeepalive(Seconds(keepalive.KeepaliveProbes), Seconds(keepalive.KeepaliveTime), Seconds(keepalive.KeepaliveInterval)) }
            : settings;
    }

    private static (TransportSettings Settings, UpstreamHttpProtocolOptions? Upstream) WithExtension(TransportSettings settings, Any any, bool hasTls, ICollection<string> notes)
    {
        const string Path = $"typed_extension_protocol_options[{OptionsKey}]";
        var options = WireMessage.Parse(EnvoyOptions.Parser, any.Value, Path);
        foreach (var note in WireMessage.Validate(options, any.Value, EnvoyOptions.Parser, Path))
        {
            notes.Add(note);
        }

        settings = WithCommon(settings, options.CommonHttpProtocolOptions, Path + ".common_http_protocol_options", notes);
        Note(options, Path, notes, "common_http_protocol_options", "explicit_http_config", "use_downstream_protocol_config", "auto_config", "hash_policy", "outlier_detection", "retry_policy", "upstream_http_protocol_options");
        return (WithProtocol(settings, options, hasTls, Path, notes), options.UpstreamHttpProtocolOptions);
    }

    private static TransportSettings WithProtocol(TransportSettings settings, EnvoyOptions options, bool hasTls, string path, ICollection<string> notes)
    {
        switch (options.UpstreamProtocolOptionsCase)
        {
            case EnvoyOptions.UpstreamProtocolOptionsOneofCase.ExplicitHttpConfig:
                var config = options.ExplicitHttpConfig;
                Note(config.HttpProtocolOptions, path + ".explicit_http_config.http_protocol_options", notes);
                settings = settings with { Protocol = config.Http2ProtocolOptions is null ? UpstreamProtocol.Http11 : UpstreamProtocol.Http2 };
                return config.ProtocolConfigCase == EnvoyOptions.Types.ExplicitHttpConfig.ProtocolConfigOneofCase.None
                    ? throw new ResourceRejectedException(path + ".explicit_http_config", "must name HTTP/1.1 or HTTP/2, the versions that are spoken")
                    : WithHttp2(settings, config.Http2ProtocolOptions, path + ".explicit_http_config.http2_protocol_options", notes);
            case EnvoyOptions.UpstreamProtocolOptionsOneofCase.UseDownstreamProtocolConfig:
                Note(options.UseDownstreamProtocolConfig.HttpProtocolOptions, path + ".use_downstream_protocol_config.http_protocol_options", notes);
                return WithHttp2(
                    settings with { Protocol = UpstreamProtocol.Downstream },
                    options.UseDownstreamProtocolConfig.Http2ProtocolOptions,
                    path + ".use_downstream_protocol_config.http2_protocol_options",
                    notes);

            case EnvoyOptions.UpstreamProtocolOptionsOneofCase.AutoConfig:
                Note(options.AutoConfig.HttpProtocolOptions, path + ".auto_config.http_protocol_options", notes);
                if (!hasTls)
                {
                    // Without ALPN, which needs TLS, Envoy's automatic choice is HTTP/1.1, and what it says of HTTP/2 is for nothing.
                    Note(options.AutoConfig.Http2ProtocolOptions, path + ".auto_config.http2_protocol_options", notes);
                    return settings;
                }

                return WithHttp2(
                    settings with { Protocol = UpstreamProtocol.Automatic },
                    options.AutoConfig.Http2ProtocolOptions,
                    path + ".auto_config.http2_protocol_options",
                    notes);
            default:
                throw new ResourceRejectedException(path, "upstream_protocol_options must be set");
        }
    }

    private static void NoteWithoutTls(UpstreamHttpProtocolOptions? options, string path, ICollection<string> notes)
    {
        if (options is null)
        {
            return;
        }

        foreach (var field in UpstreamHttpProtocolOptions.Descriptor.Fields.InDeclarationOrder())
        {
            if (IsSet(field.Accessor.GetValue(options)))
            {
                notes.Add($"{path}.{field.Name} has no effect without TLS");
            }
        }
    }

    private static TransportSettings WithCommon(TransportSettings settings, HttpProtocolOptions? options, string path, ICollection<string> notes)
    {
        if (options is null)
        {
            return settings;
        }

        Note(options, path, notes, "idle_timeout", "max_connection_duration", "max_headers_count", "max_response_headers_kb", "max_requests_per_connection", "max_stream_duration");
        return settings with
        {
            IdleTimeout = Limit(options.IdleTimeout, path + ".idle_timeout", settings.IdleTimeout),
            MaxConnectionDuration = Limit(options.MaxConnectionDuration, path + ".max_connection_duration", settings.MaxConnectionDuration),
            MaxHeadersCount = options.MaxHeadersCount,
            MaxResponseHeadersKb = options.MaxResponseHeadersKb,
            MaxRequestsPerConnection = options.MaxRequestsPerConnection ?? 0,
        };
    }

    private static TransportSettings WithHttp2(TransportSettings settings, Http2ProtocolOptions? options, string path, ICollection<string> notes)
    {
        if (options is null)
        {
            return settings;
        }

        Note(options, path, notes, "initial_stream_window_size", "max_concurrent_streams", "connection_keepalive", "allow_connect");
        if (options.InitialStreamWindowSize > MaxStreamWindow)
        {
            notes.Add($"{path}.initial_stream_window_size: {MaxStreamWindow} is the largest window");
        }

        if (options.MaxConcurrentStreams is < 1 or > int.MaxValue)
        {
            throw new ResourceRejectedException(path + ".max_concurrent_streams", "must be between 1 and 2147483647");
        }

        settings = settings with
        {
            InitialStreamWindowSize = options.InitialStreamWindowSize is { } window ? Math.Min(window, MaxStreamWindow) : null,
            MaxConcurrentStreams = options.MaxConcurrentStreams,
        };
        if (options.ConnectionKeepalive is not { } keepalive)
        {
            return settings;
        }

        Note(keepalive, path + ".connection_keepalive", notes, "interval", "timeout");
        return keepalive.Interval is null
            ? settings
            : settings with
            {
                KeepaliveInterval = AtLeastASecond(keepalive.Interval, path + ".connection_keepalive.interval", notes),
                KeepaliveTimeout = AtLeastASecond(keepalive.Timeout, path + ".connection_keepalive.timeout", notes),
            };
    }

    private static TimeSpan AtLeastASecond(Duration? duration, string path, ICollection<string> notes)
    {
        var value = duration?.ToTimeSpan() ?? throw new ResourceRejectedException(path, "must be set");
        if (value < MinKeepalive)
        {
            notes.Add($"{path}: one second is the shortest");
            return MinKeepalive;
        }

        return TimerRange.Limit(value);
    }

    // Zero is no limit, in Envoy.
    private static TimeSpan Limit(Duration? duration, string path, TimeSpan otherwise)
    {
        if (duration is null)
        {
            return otherwise;
        }

        var value = duration.Seconds > TimerRange.Longest.TotalSeconds ? Timeout.InfiniteTimeSpan : duration.ToTimeSpan();
        return value == TimeSpan.Zero ? Timeout.InfiniteTimeSpan
            : value > TimeSpan.Zero || value == Timeout.InfiniteTimeSpan ? value
            : throw new ResourceRejectedException(path, "must not be negative");
    }

    private static int? Seconds(uint? value) => value is { } v ? (int)Math.Min(v, int.MaxValue) : null;

    /// <summary>Tells every field that is set and not in <paramref name="honoured"/>.</summary>
    private static void Note(IMessage? message, string path, ICollection<string> notes, params ReadOnlySpan<string> honoured)
    {
        if (message is null)
        {
            return;
        }

        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            if (!honoured.Contains(field.Name) && IsSet(field.Accessor.GetValue(message)))
            {
                notes.Add($"{path}.{field.Name} has no effect");
            }
        }
    }

    private static bool IsSet(object? value)
        => value switch
        {
            null or false or "" => false,
            System.Collections.ICollection collection => collection.Count > 0,
            System.Enum or int or uint or long or ulong => Convert.ToDecimal(value, System.Globalization.CultureInfo.InvariantCulture) != 0,
            _ => true,
        };
}
