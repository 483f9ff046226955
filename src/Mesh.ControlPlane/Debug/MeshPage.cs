using System.Text.Json.Nodes;
using Mesh.ControlPlane.Discovery;

namespace Mesh.ControlPlane.Debug;

/// <summary>What holds for the whole mesh.</summary>
internal sealed class MeshPage(DiscoveryServer discovery) : IDebugPage
{
    public string Name => "mesh";

    public string Summary => "the MeshConfig in force, and where it is written";

    public JsonNode Read(DebugQuery query)
    {
        var mesh = discovery.Model.Config.Mesh;
        return new JsonObject
        {
            ["source"] = mesh.Source?.Source.ToString(),
            ["rootNamespace"] = mesh.RootNamespace,
            ["trustDomain"] = mesh.TrustDomains.Own,
            ["config"] = mesh.Source is { } source ? DebugJson.SpecOf(source) : new JsonObject(),
        };
    }
}
