using System.Collections.Immutable;

namespace Mesh.ControlPlane.Model;

/// <summary>The mesh at one moment: documents and who serves; immutable. Everything that generators read.</summary>
internal sealed record MeshModel(ConfigIndex Config, ImmutableDictionary<string, ServiceEndpoints> Endpoints)
{
    public static MeshModel Empty(string clusterDomain) => new(ConfigIndex.Empty(clusterDomain), ImmutableDictionary<string, ServiceEndpoints>.Empty);

    public ServiceEndpoints EndpointsOf(MeshService service) => Endpoints.GetValueOrDefault(service.Key, ServiceEndpoints.Empty);
}
