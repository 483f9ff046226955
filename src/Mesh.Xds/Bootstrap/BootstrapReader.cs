using System.Text.Json;
using Envoy.Config.Core.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Client;
using Mesh.Xds.Grpc;

namespace Mesh.Xds.Bootstrap;

/// <summary>Reads the bootstrap JSON of gRPC's xDS clients (gRFCs A27, A29, A36, A47, A65). Unknown fields are ignored, as there.</summary>
internal sealed class BootstrapReader
{
    private const int MaxSize = 1024 * 1024;
    private const int MaxEntries = 256;
    private static readonly JsonDocumentOptions JsonOptions = new() { MaxDepth = 64 };
    private readonly string _source;

    private BootstrapReader(string source) => _source = source;

    /// <exception cref="BootstrapException">The file cannot be read or used.</exception>
    public static XdsBootstrap ReadFile(string file)
    {
        string text;
        try
        {
            var info = new FileInfo(file);
            if (info.Exists && info.Length > MaxSize)
            {
                throw new BootstrapException(file, "$", $"the file has {info.Length} bytes; a bootstrap has at most {MaxSize}");
            }

            text = File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BootstrapException(file, "$", $"GRPC_XDS_BOOTSTRAP names this file, which cannot be read: {e.Message}", e);
        }

        return Read(text, file);
    }

    /// <exception cref="BootstrapException">The text cannot be used.</exception>
    public static XdsBootstrap Read(string json, string source)
    {
        if (json.Length > MaxSize)
        {
            throw new BootstrapException(source, "$", $"the text has {json.Length} characters; a bootstrap has at most {MaxSize}");
        }

        try
        {
            using var document = JsonDocument.Parse(json, JsonOptions);
            return new BootstrapReader(source).ReadBootstrap(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new BootstrapException(source, $"line {e.LineNumber + 1}, column {e.BytePositionInLine + 1}", $"not JSON: {e.Message}", e);
        }
    }

    private XdsBootstrap ReadBootstrap(JsonElement root)
    {
        Expect(root, "$", JsonValueKind.Object);
        return new XdsBootstrap
        {
            Servers = ReadServers(root, "$", required: true),
            Node = root.TryGetProperty("node", out var node) ? ReadNode(node) : new Node(),
            CertificateProviders = ReadMap(root, "$", "certificate_providers", ReadCertificateProvider),
            Authorities = ReadMap(root, "$", "authorities", ReadAuthority),
            ClientDefaultListenerResourceNameTemplate = Text(root, "$", "client_default_listener_resource_name_template") ?? "%s",
            ServerListenerResourceNameTemplate = Text(root, "$", "server_listener_resource_name_template"),
        };
    }

    private IReadOnlyList<XdsServerConfig> ReadServers(JsonElement parent, string path, bool required)
    {
        path += ".xds_servers";
        if (!parent.TryGetProperty("xds_servers", out var list))
        {
            return required ? throw Bad(path, "is missing; it lists at least one server") : [];
        }

        Expect(list, path, JsonValueKind.Array);
        if (list.GetArrayLength() is var count && (count > MaxEntries || (count == 0 && required)))
        {
            throw Bad(path, $"has {count} entries; 1 to {MaxEntries} are possible");
        }

        return [.. list.EnumerateArray().Select((server, i) => ReadServer(server, $"{path}[{i}]"))];
    }

    private XdsServerConfig ReadServer(JsonElement server, string path)
    {
        Expect(server, path, JsonValueKind.Object);
        var uri = Text(server, path, "server_uri") ?? throw Bad($"{path}.server_uri", "is missing");
        var (tls, credentialsPath) = ReadCredentials(server, path);
        try
        {
            var target = GrpcTarget.Parse(uri);
            if (target.Tls == false && tls is not null)
            {
                throw Bad(credentialsPath, $"the type is tls, but '{uri}' says plain text");
            }
        }
        catch (FormatException e)
        {
            throw new BootstrapException(_source, $"{path}.server_uri", e.Message, e);
        }

        return new XdsServerConfig(uri, tls, ReadFeatures(server, path));
    }

    /// <summary>The first entry of a supported type counts (gRFC A27).</summary>
    private (GrpcTlsCredentials? Tls, string Path) ReadCredentials(JsonElement server, string path)
    {
        path += ".channel_creds";
        if (!server.TryGetProperty("channel_creds", out var list))
        {
            throw Bad(path, "is missing; it lists at least one of the types insecure, tls");
        }

        Expect(list, path, JsonValueKind.Array);
        var seen = new List<string>();
        var i = 0;
        foreach (var credentials in list.EnumerateArray().Take(MaxEntries))
        {
            var entry = $"{path}[{i++}]";
            Expect(credentials, entry, JsonValueKind.Object);
            var type = Text(credentials, entry, "type") ?? throw Bad($"{entry}.type", "is missing");
            switch (type)
            {
                case "insecure":
                    return (null, entry);
                case "tls":
                    return (credentials.TryGetProperty("config", out var config) ? ReadTls(config, $"{entry}.config") : new GrpcTlsCredentials(), entry);
                default:
                    seen.Add(type);
                    break;
            }
        }

        throw Bad(path, $"none of the types is supported ({string.Join(", ", seen.Take(8))}); supported are insecure, tls");
    }

    private GrpcTlsCredentials ReadTls(JsonElement config, string path)
    {
        Expect(config, path, JsonValueKind.Object);
        var certificate = Text(config, path, "certificate_file");
        var key = Text(config, path, "private_key_file");
        if ((certificate is null) != (key is null))
        {
            throw Bad(path, "certificate_file and private_key_file come together or not at all");
        }

        var credentials = new GrpcTlsCredentials(Text(config, path, "ca_certificate_file"), certificate, key);
        return config.TryGetProperty("refresh_interval", out _)
            ? new GrpcTlsCredentials(credentials.CaCertificateFile, certificate, key) { RefreshInterval = ReadDuration(config, path, "refresh_interval") }
            : credentials;
    }

    private TimeSpan ReadDuration(JsonElement parent, string path, string name)
    {
        var text = Text(parent, path, name) ?? "";
        try
        {
            // Protobuf's JSON mapping of a Duration: "600s".
            return Google.Protobuf.JsonParser.Default.Parse<Duration>($"\"{JsonEncodedText.Encode(text)}\"").ToTimeSpan();
        }
        catch (Exception e) when (e is Google.Protobuf.InvalidProtocolBufferException or InvalidOperationException or OverflowException)
        {
            throw Bad($"{path}.{name}", $"'{text}' is not a duration in seconds, as in \"600s\"");
        }
    }

    private XdsServerFeatures ReadFeatures(JsonElement server, string path)
    {
        path += ".server_features";
        var features = XdsServerFeatures.None;
        if (server.TryGetProperty("server_features", out var list))
        {
            Expect(list, path, JsonValueKind.Array);
            foreach (var feature in list.EnumerateArray().Take(MaxEntries))
            {
                Expect(feature, path, JsonValueKind.String);
                features |= feature.GetString() switch
                {
                    "xds_v3" => XdsServerFeatures.XdsV3,
                    "ignore_resource_deletion" => XdsServerFeatures.IgnoreResourceDeletion,
                    "trusted_xds_server" => XdsServerFeatures.TrustedXdsServer,
                    "fail_on_data_errors" => XdsServerFeatures.FailOnDataErrors,
                    "resource_timer_is_transient_error" => XdsServerFeatures.ResourceTimerIsTransientError,
                    _ => XdsServerFeatures.None,
                };
            }
        }

        return features;
    }

    private Node ReadNode(JsonElement element)
    {
        const string Path = "$.node";
        Expect(element, Path, JsonValueKind.Object);
        var node = new Node { Id = Text(element, Path, "id") ?? "", Cluster = Text(element, Path, "cluster") ?? "" };
        if (element.TryGetProperty("locality", out var locality))
        {
            const string LocalityPath = $"{Path}.locality";
            Expect(locality, LocalityPath, JsonValueKind.Object);
            node.Locality = new Locality
            {
                Region = Text(locality, LocalityPath, "region") ?? "",
                Zone = Text(locality, LocalityPath, "zone") ?? "",
                SubZone = Text(locality, LocalityPath, "sub_zone") ?? "",
            };
        }

        if (element.TryGetProperty("metadata", out var metadata))
        {
            Expect(metadata, $"{Path}.metadata", JsonValueKind.Object);
            try
            {
                node.Metadata = Struct.Parser.ParseJson(metadata.GetRawText());
            }
            catch (Google.Protobuf.InvalidProtocolBufferException e)
            {
                throw Bad($"{Path}.metadata", e.Message);
            }
        }

        return node;
    }

    private CertificateProviderConfig ReadCertificateProvider(JsonElement provider, string path)
    {
        Expect(provider, path, JsonValueKind.Object);
        var plugin = Text(provider, path, "plugin_name") ?? throw Bad($"{path}.plugin_name", "is missing");
        if (!provider.TryGetProperty("config", out var config))
        {
            return new(plugin, JsonSerializer.SerializeToElement(new Dictionary<string, string>()));
        }

        Expect(config, $"{path}.config", JsonValueKind.Object);
        return new(plugin, config.Clone());
    }

    private XdsAuthorityConfig ReadAuthority(JsonElement authority, string path)
    {
        Expect(authority, path, JsonValueKind.Object);
        return new(Text(authority, path, "client_listener_resource_name_template"), ReadServers(authority, path, required: false));
    }

    private Dictionary<string, T> ReadMap<T>(JsonElement parent, string path, string name, Func<JsonElement, string, T> read)
    {
        var map = new Dictionary<string, T>(StringComparer.Ordinal);
        if (parent.TryGetProperty(name, out var element))
        {
            Expect(element, $"{path}.{name}", JsonValueKind.Object);
            foreach (var property in element.EnumerateObject())
            {
                if (map.Count == MaxEntries)
                {
                    throw Bad($"{path}.{name}", $"has more than {MaxEntries} entries");
                }

                map[property.Name] = read(property.Value, $"{path}.{name}.{property.Name}");
            }
        }

        return map;
    }

    private string? Text(JsonElement parent, string path, string name)
    {
        if (!parent.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        Expect(value, $"{path}.{name}", JsonValueKind.String);
        return value.GetString() is { Length: > 0 } text ? text : null;
    }

    private void Expect(JsonElement element, string path, JsonValueKind kind)
    {
        if (element.ValueKind != kind)
        {
            throw Bad(path, $"is {element.ValueKind} where {kind} belongs");
        }
    }

    private BootstrapException Bad(string path, string reason) => new(_source, path, reason);
}
