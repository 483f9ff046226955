using System.Text.Json;

namespace Mesh.Xds.Bootstrap;

/// <summary>One entry of <c>certificate_providers</c> (gRFC A29), kept for the transport security that names it.</summary>
internal sealed record CertificateProviderConfig(string PluginName, JsonElement Config);
