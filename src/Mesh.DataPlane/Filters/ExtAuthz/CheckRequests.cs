using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Envoy.Config.Core.V3;
using Envoy.Service.Auth.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Inbound;
using Mesh.Filters;
using HttpRequest = Envoy.Service.Auth.V3.AttributeContext.Types.HttpRequest;
using Peer = Envoy.Service.Auth.V3.AttributeContext.Types.Peer;
using SocketAddress = Envoy.Config.Core.V3.SocketAddress;

namespace Mesh.DataPlane.Filters.ExtAuthz;

/// <summary>Says of a request what an authorizer is told (<c>AttributeContext</c>).</summary>
internal static class CheckRequests
{
    private const string PartialBody = "x-envoy-auth-partial-body";
    private const string DownstreamCluster = "x-envoy-downstream-service-cluster";

    /// <param name="exchange">The request.</param>
    /// <param name="settings">What is told.</param>
    /// <param name="extensions">What the route adds.</param>
    /// <param name="body">What there is of the body; <see langword="null"/> where none is told.</param>
    /// <param name="services">Time, chance, and who this process is.</param>
    public static CheckRequest Create(
        HttpExchange exchange, ContextSettings settings, IReadOnlyDictionary<string, string> extensions, CheckedBody? body, FilterServices services)
    {
        var engine = EngineExchange.Of(exchange);
        var connection = engine.Connection;
        var context = new AttributeContext
        {
            Source = Source(connection, exchange.RequestHeaders[DownstreamCluster], settings.IncludesPeerCertificate),
            Destination = Destination(connection, services),
            Request = new AttributeContext.Types.Request
            {
                Time = Timestamp.FromDateTimeOffset(services.Time.GetUtcNow()),
                Http = Http(exchange, engine, settings, body, services),
            },
            MetadataContext = Metadata(exchange.HasMetadata ? exchange.ReadMetadata : null, settings.MetadataNamespaces),
        };
        Complete(context, connection, settings, services);
        foreach (var (key, value) in extensions)
        {
            context.ContextExtensions[key] = value;
        }

        return new CheckRequest { Attributes = context };
    }

    /// <summary>Says of a connection what an authorizer is told: there is no request.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="settings">What is told.</param>
    /// <param name="metadata">What the filters before have left.</param>
    /// <param name="services">Who this process is.</param>
    public static CheckRequest Create(ConnectionFacts connection, ContextSettings settings, ConnectionMetadata metadata, FilterServices services)
    {
        var context = new AttributeContext
        {
            Source = Source(connection, service: null, settings.IncludesPeerCertificate),
            Destination = Destination(connection, services),
            MetadataContext = Metadata(metadata.Find, settings.MetadataNamespaces),
        };
        Complete(context, connection, settings, services);
        return new CheckRequest { Attributes = context };
    }

    private static void Complete(AttributeContext context, ConnectionFacts? connection, ContextSettings settings, FilterServices services)
    {
        if (settings.IncludesLabels)
        {
            context.Destination.Labels.Add(services.Labels.ToDictionary());
        }

        if (settings.IncludesTlsSession && connection is { IsTls: true })
        {
            context.TlsSession = new AttributeContext.Types.TLSSession { Sni = connection.RequestedServerName };
        }
    }

    private static Peer Source(ConnectionFacts? connection, string? service, bool withCertificate)
    {
        var peer = new Peer { Service = service ?? "", Address = Address(connection?.RemoteEndPoint) };
        if (connection is { IsTls: true, PeerCertificate: { } certificate })
        {
            // URI before DNS name before subject.
            peer.Principal = connection.UriNames.Count > 0 ? connection.UriNames[0] : connection.DnsNames.Count > 0 ? connection.DnsNames[0] : connection.Subject;
            if (withCertificate)
            {
                peer.Certificate = Uri.EscapeDataString(certificate.ExportCertificatePem() + "\n");
            }
        }

        return peer;
    }

    private static Peer Destination(ConnectionFacts? connection, FilterServices services)
        => new() { Address = Address(connection?.LocalEndPoint), Principal = connection is { IsTls: true } ? services.Principal : "" };

    private static Address? Address(IPEndPoint? endpoint)
        => endpoint is null
            ? null
            : new Address
            {
                SocketAddress = new SocketAddress
                {
                    Address = (endpoint.Address.IsIPv4MappedToIPv6 ? endpoint.Address.MapToIPv4() : endpoint.Address).ToString(),
                    PortValue = (uint)endpoint.Port,
                },
            };

    private static HttpRequest Http(HttpExchange exchange, EngineExchange engine, ContextSettings settings, CheckedBody? body, FilterServices services)
    {
        var request = new HttpRequest
        {
            Id = services.Random.NextUInt64().ToString(System.Globalization.CultureInfo.InvariantCulture),
            Method = exchange.Method,
            Path = exchange.Path,
            Host = exchange.Authority,
            Scheme = exchange.Scheme,
            Size = body is { IsWhole: true } ? body.Bytes.Length : SizeOf(exchange),
            Protocol = ProtocolOf(engine.Format.Protocol),
        };

        Add(":authority", exchange.Authority);
        Add(":method", exchange.Method);
        Add(":path", exchange.Path);
        Add(":scheme", exchange.Scheme);
        foreach (var (name, value) in exchange.RequestHeaders)
        {
            var key = name.ToLowerInvariant();

            // The filter's own word on the body is nobody else's to say; the host is the authority.
            if (key is not (PartialBody or "host"))
            {
                Add(key, value);
            }
        }

        if (body is not null)
        {
            if (body.AsBytes)
            {
                request.RawBody = UnsafeByteOperations.UnsafeWrap(body.Bytes);
            }
            else
            {
                request.Body = Encoding.UTF8.GetString(body.Bytes.Span);
            }

            Write(PartialBody, body.IsWhole ? "false" : "true");
        }

        return request;

        void Add(string name, string value)
        {
            if (!settings.Disallowed.Contain(name) && settings.Allowed?.Contain(name) != false)
            {
                Write(name, value);
            }
        }

        void Write(string name, string value)
        {
            if (settings.RawHeaders)
            {
                (request.HeaderMap ??= new HeaderMap()).Headers.Add(new HeaderValue { Key = name, RawValue = ByteString.CopyFromUtf8(value) });
            }
            else
            {
                request.Headers[name] = request.Headers.TryGetValue(name, out var before) ? $"{before},{value}" : value;
            }
        }
    }

    // -1 where nobody knows.
    private static long SizeOf(HttpExchange exchange)
        => long.TryParse(exchange.RequestHeaders["content-length"], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var length)
            ? length
            : exchange.RequestHeaders.Contains("transfer-encoding") ? -1 : 0;

    private static string ProtocolOf(Version? version)
        => version is null ? "" : version.Major >= 2 ? $"HTTP/{version.Major}" : $"HTTP/{version.Major}.{version.Minor}";

    private static Metadata? Metadata(Func<string, JsonObject?>? read, IReadOnlyList<string> namespaces)
    {
        Metadata? metadata = null;
        foreach (var name in read is not null ? namespaces : [])
        {
            if (read!(name) is { } json)
            {
                (metadata ??= new Metadata()).FilterMetadata[name] = Struct.Parser.ParseJson(json.ToJsonString());
            }
        }

        return metadata;
    }
}

/// <summary>What an authorizer is told of a body.</summary>
internal sealed record CheckedBody(ReadOnlyMemory<byte> Bytes, bool IsWhole, bool AsBytes);
