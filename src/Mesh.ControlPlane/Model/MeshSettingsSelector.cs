using Istio.Mesh.V1Alpha1;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.MeshWide;

namespace Mesh.ControlPlane.Model;

/// <summary>Chooses the one MeshConfig that is in force among the documents, and hands out the same object as long as it says the same.</summary>
internal sealed class MeshSettingsSelector
{
    /// <summary>What was written for this control plane, then what an installed Istio holds, then what it was installed from.</summary>
    private static readonly ConfigKind[] Precedence = [MeshKinds.MeshConfig, MeshKinds.ConfigMap, MeshKinds.IstioOperator];

    private MeshSettings _current = MeshSettings.Default;

    public MeshSettings Select(ConfigSnapshot snapshot, ModelDiagnostics diagnostics)
    {
        var documents = snapshot.Of<MeshConfig>().Select(found => found.Resource).ToList();
        documents.Sort(Compare);
        foreach (var other in documents.Skip(1))
        {
            diagnostics.Warn(
                other,
                DiagnosticCodes.DuplicateDeclaration,
                other.SpecPath,
                $"the settings of the mesh are those of {documents[0]}: nothing of this one applies; remove it or merge the two");
        }

        if (documents.Count == 0)
        {
            _current = MeshSettings.Default;
        }
        else
        {
            // The store hands out a spec that has not changed as the same object, wherever its document has moved to; whether a zero is written it cannot tell.
            var next = MeshSettings.Of(documents[0]);
            _current = ReferenceEquals(_current.Config, next.Config) && _current.EnableTracing == next.EnableTracing ? _current : next;
        }

        return _current;
    }

    private static int Compare(ConfigResource left, ConfigResource right)
    {
        var rank = Array.IndexOf(Precedence, left.Kind).CompareTo(Array.IndexOf(Precedence, right.Kind));
        return rank != 0 ? rank : OldestFirst.Instance.Compare(left, right);
    }
}
