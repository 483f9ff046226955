using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using Details = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.ForwardClientCertDetails;
using Format = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.ForwardClientCertFormat;

namespace Mesh.DataPlane.Inbound.Http;

/// <summary>Compiles what the application is told of the caller's certificate.</summary>
internal static class ForwardedClientCertCompiler
{
    public static ForwardedClientCert Compile(HttpConnectionManager manager, string path)
    {
        var action = manager.ForwardClientCertDetails switch
        {
            Details.Sanitize => ForwardedClientCertAction.Sanitize,
            Details.ForwardOnly => ForwardedClientCertAction.ForwardOnly,
            Details.AppendForward => ForwardedClientCertAction.AppendForward,
            Details.SanitizeSet => ForwardedClientCertAction.SanitizeSet,
            Details.AlwaysForwardOnly => ForwardedClientCertAction.AlwaysForwardOnly,
            var other => throw new ResourceRejectedException(path + ".forward_client_cert_details", $"{other} is not a known value"),
        };
        var set = manager.SetCurrentClientCertDetails;
        FieldRules.Refuse(set?.Format is not (null or Format.Text), path + ".set_current_client_cert_details.format");
        return set is null && action == ForwardedClientCertAction.Sanitize
            ? ForwardedClientCert.Sanitize
            : new ForwardedClientCert(action)
            {
                Subject = set?.Subject ?? false,
                Cert = set?.Cert ?? false,
                Chain = set?.Chain ?? false,
                Dns = set?.Dns ?? false,
                Uri = set?.Uri ?? false,
            };
    }
}
