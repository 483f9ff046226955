using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.DataPlane.Identity;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tls;

/// <summary>A secret that TLS needs, by name.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsOwn">The process has it by itself (<see cref="ISecretSource"/>); else the control plane sends it.</param>
internal readonly record struct SecretReference(string Name, bool IsOwn)
{
    /// <summary>By the name alone where it is one of Istio's two: these are the workload's own, which a sidecar has from the agent beside it.</summary>
    /// <exception cref="ResourceRejectedException">It is to come from elsewhere.</exception>
    public static SecretReference Compile(SdsSecretConfig config, string path)
        => config.Name is ISecretSource.Certificate or ISecretSource.Authorities ? new SecretReference(config.Name, IsOwn: true)
            : config.SdsConfig?.ConfigSourceSpecifierCase is ConfigSource.ConfigSourceSpecifierOneofCase.Ads or ConfigSource.ConfigSourceSpecifierOneofCase.Self
                ? new SecretReference(config.Name, IsOwn: false)
                : throw new ResourceRejectedException(path + ".sds_config", "must be ads or self");

    public override string ToString() => Name;
}
