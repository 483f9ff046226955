using Envoy.Config.Core.V3;

namespace Mesh.Xds.Bootstrap;

/// <summary>How a process finds its control plane and who it says it is.</summary>
internal sealed record XdsBootstrap
{
    /// <summary>The servers in order of preference; empty when nothing names one.</summary>
    public IReadOnlyList<XdsServerConfig> Servers { get; init; } = [];

    public Node Node { get; init; } = new();

    public IReadOnlyDictionary<string, CertificateProviderConfig> CertificateProviders { get; init; } = new Dictionary<string, CertificateProviderConfig>();

    public IReadOnlyDictionary<string, XdsAuthorityConfig> Authorities { get; init; } = new Dictionary<string, XdsAuthorityConfig>();

    /// <summary><c>client_default_listener_resource_name_template</c> (gRFC A47).</summary>
    public string ClientDefaultListenerResourceNameTemplate { get; init; } = "%s";

    /// <summary><c>server_listener_resource_name_template</c> (gRFC A36); <see langword="null"/>: the server side is not configured.</summary>
    public string? ServerListenerResourceNameTemplate { get; init; }

    /// <summary>
    /// Puts together what the options say and what the bootstrap says that the environment names. The file of <c>GRPC_XDS_BOOTSTRAP</c>
    /// goes before the text of <c>GRPC_XDS_BOOTSTRAP_CONFIG</c> (gRFC A27); the server of the options goes before those of either.
    /// </summary>
    /// <param name="options">The settings of the mesh.</param>
    /// <param name="environment">Reads an environment variable.</param>
    /// <exception cref="BootstrapException">The bootstrap or the configured server cannot be used.</exception>
    public static XdsBootstrap Load(MeshOptions options, Func<string, string?> environment)
    {
        var bootstrap = environment("GRPC_XDS_BOOTSTRAP") is { Length: > 0 } file ? BootstrapReader.ReadFile(file)
            : environment("GRPC_XDS_BOOTSTRAP_CONFIG") is { Length: > 0 } text ? BootstrapReader.Read(text, "GRPC_XDS_BOOTSTRAP_CONFIG")
            : new XdsBootstrap();
        if (options.Xds.Server is { Length: > 0 } server)
        {
            bootstrap = bootstrap with
            {
                Servers = [ServerOf(server, "Server", options.Xds), .. options.Xds.AlternateServers.Select((other, i) => ServerOf(other, $"AlternateServers:{i}", options.Xds))],
            };
        }
        else if (options.Xds.AlternateServers.Count > 0)
        {
            throw new BootstrapException("options", $"{MeshOptions.SectionName}:Xds:AlternateServers", "there is no server to which these would be alternatives; set Mesh:Xds:Server, or list all of them in the bootstrap");
        }

        return bootstrap with { Node = XdsNode.Create(options, bootstrap.Node, WorkloadInstance.Detect(options.Workload, environment), environment) };
    }

    private static XdsServerConfig ServerOf(string server, string setting, MeshXdsOptions options)
    {
        try
        {
            var target = Grpc.GrpcTarget.Parse(server);
            var roots = options.RootCertificates is { Length: > 0 } file ? file : null;
            return new XdsServerConfig(
                server, target.Tls == false ? null : target.Tls == true || roots is not null ? new Grpc.GrpcTlsCredentials(roots) : null, Client.XdsServerFeatures.XdsV3);
        }
        catch (FormatException e)
        {
            throw new BootstrapException("options", $"{MeshOptions.SectionName}:Xds:{setting}", e.Message, e);
        }
    }
}
