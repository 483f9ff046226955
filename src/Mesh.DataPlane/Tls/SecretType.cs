using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tls;

/// <summary>Decodes secrets (SDS).</summary>
internal sealed class SecretType() : ResourceType<SecretResource>(TypeUrls.Secret, isFullStateInSotw: false)
{
    public static SecretType Instance { get; } = new();

    protected override SecretResource DecodeResource(ByteString body, out string name)
    {
        name = "";
        var message = WireMessage.Parse(Secret.Parser, body);
        name = message.Name;
        var notes = WireMessage.Validate(message, body, Secret.Parser);
        if (name.Length == 0)
        {
            throw new ResourceRejectedException("name", "must not be empty");
        }

        switch (message.TypeCase)
        {
            case Secret.TypeOneofCase.TlsCertificate:
                var certificate = ClientCertificate.Compile(message.TlsCertificate, "tls_certificate");
                certificate.Check("tls_certificate");
                return new SecretResource(name, certificate, null) { Notes = notes };
            case Secret.TypeOneofCase.ValidationContext:
                CertificateValidationCompiler.Compile(message.ValidationContext, "validation_context");
                return new SecretResource(name, null, message.ValidationContext) { Notes = notes };
            case Secret.TypeOneofCase.SessionTicketKeys:
                throw new ResourceRejectedException("session_ticket_keys", "are for servers");
            case Secret.TypeOneofCase.GenericSecret:
                throw new ResourceRejectedException("generic_secret", "is not supported");
            default:
                throw new ResourceRejectedException("type", "must be set");
        }
    }
}
