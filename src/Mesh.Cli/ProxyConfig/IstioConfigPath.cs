using Envoy.Config.Core.V3;

namespace Mesh.Cli.ProxyConfig;

/// <summary>The document that a resource comes from, as the metadata tells: <c>…/namespaces/default/virtual-service/reviews</c> is <c>reviews.default</c>.</summary>
internal static class IstioConfigPath
{
    public static string Of(Metadata? metadata)
    {
        if (metadata?.FilterMetadata.TryGetValue("istio", out var istio) != true || istio is null || !istio.Fields.TryGetValue("config", out var config))
        {
            return "";
        }

        var parts = config.StringValue.Split('/');
        var at = Array.IndexOf(parts, "namespaces");
        return at >= 0 && parts.Length == at + 4 ? $"{parts[at + 3]}.{parts[at + 1]}" : config.StringValue;
    }
}
