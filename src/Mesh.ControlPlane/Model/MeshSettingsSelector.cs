using Istio.Mesh.V1Alpha1;
using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Model;

/// <summary>Chooses the one MeshConfig that is in force among the documents, and hands out the same object as long as it says the same.</summary>
internal sealed class MeshSettingsSelector
{
    private MeshSettings _current = MeshSettings.Default;

    public MeshSettings Select(ConfigSnapshot snapshot, ModelDiagnostics diagnostics)
    {
        var documents = snapshot.Of<MeshConfig>().Select(found => found.Resource).ToList();
        documents.Sort(OldestFirst.Instance);
        foreach (var other in documents.Skip(1))
        {
            diagnostics.Warn(
                other,
                DiagnosticCodes.DuplicateDeclaration,
                "",
                $"the mesh has a MeshConfig already, {documents[0]}, and that one is in force: nothing of this one applies; remove it or merge the two");
        }

        if (documents.Count == 0)
        {
            _current = MeshSettings.Default;
        }
        else if (!ReferenceEquals(_current.Config, documents[0].Spec))
        {
            // The store hands out a spec that has not changed as the same object, wherever its document has moved to.
            _current = MeshSettings.Of(documents[0]);
        }

        return _current;
    }
}
