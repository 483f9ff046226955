using Envoy.Config.Core.V3;
using Envoy.Extensions.Filters.Network.ExtAuthz.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using Message = Envoy.Extensions.Filters.Network.ExtAuthz.V3.ExtAuthz;

namespace Mesh.DataPlane.Filters.ExtAuthz;

/// <summary>Compiles <c>envoy.extensions.filters.network.ext_authz.v3.ExtAuthz</c>. What is not honoured is refused, but for what only counts.</summary>
internal static class NetworkExtAuthzCompiler
{
    /// <param name="name">The filter's name in its chain.</param>
    /// <param name="packed">The message.</param>
    /// <param name="path">Where it stands.</param>
    /// <param name="notes">Gets what is not applied and opens nothing.</param>
    /// <exception cref="ResourceRejectedException">It breaks a rule, or asks for what is not supported.</exception>
    public static NetworkFilter Compile(string name, Any packed, string path, ICollection<string> notes)
    {
        var message = WireMessage.Parse(Message.Parser, packed.Value, path);
        foreach (var note in WireMessage.Validate(message, packed.Value, Message.Parser, path))
        {
            notes.Add(note);
        }

        if (message.GrpcService is not { } service)
        {
            throw new ResourceRejectedException(path + ".grpc_service", "must be set");
        }

        if (message.StatPrefix.Length == 0)
        {
            throw new ResourceRejectedException(path + ".stat_prefix", "must not be empty");
        }

        if (message.TransportApiVersion != ApiVersion.V3)
        {
            throw new ResourceRejectedException(path + ".transport_api_version", "must be V3");
        }

        FieldRules.Refuse(service.InitialMetadata.Count > 0, path + ".grpc_service.initial_metadata");
        FieldRules.Refuse(message.TypedMetadataContextNamespaces.Count > 0, path + ".typed_metadata_context_namespaces");
        if (message.SendTlsAlertOnDenial)
        {
            notes.Add($"{path}.send_tls_alert_on_denial is not applied: .NET sends no alerts of an application's own, the connection is closed");
        }

        return new NetworkExtAuthzFilter(name, new NetworkExtAuthzSettings(
            ExtAuthzCompiler.Grpc(service, path + ".grpc_service", notes),
            message.StatPrefix,
            message.FailureModeAllow,
            message.FilterEnabledMetadata is { } matcher ? MatcherCompiler.Metadata(matcher, path + ".filter_enabled_metadata") : null,
            new ContextSettings
            {
                MetadataNamespaces = [.. message.MetadataContextNamespaces],
                IncludesPeerCertificate = message.IncludePeerCertificate,
                IncludesTlsSession = message.IncludeTlsSession,
                IncludesLabels = ExtAuthzCompiler.IncludesLabels(message.BootstrapMetadataLabelsKey, path, notes),
            }));
    }
}
