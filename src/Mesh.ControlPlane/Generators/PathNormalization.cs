using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using NormalizationType = Istio.Mesh.V1Alpha1.MeshConfig.Types.ProxyPathNormalization.Types.NormalizationType;
using SlashesAction = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.PathWithEscapedSlashesAction;

namespace Mesh.ControlPlane.Generators;

/// <summary>What MeshConfig's <c>pathNormalization</c> is on the wire; where nothing is written the fields stay as they are.</summary>
internal static class PathNormalization
{
    /// <summary>The same where policies are evaluated: what nobody has said is <c>BASE</c> there, as with Istio.</summary>
    public static void ApplyInbound(HttpConnectionManager manager, NormalizationType type)
    {
        manager.PathWithEscapedSlashesAction = SlashesAction.KeepUnchanged;
        Apply(manager, type == NormalizationType.Default ? NormalizationType.Base : type);
    }

    public static void Apply(HttpConnectionManager manager, NormalizationType type)
    {
        if (type == NormalizationType.Default)
        {
            return;
        }

        manager.NormalizePath = type != NormalizationType.None;
        manager.MergeSlashes = type is NormalizationType.MergeSlashes or NormalizationType.DecodeAndMergeSlashes;
        if (type == NormalizationType.DecodeAndMergeSlashes)
        {
            manager.PathWithEscapedSlashesAction = SlashesAction.UnescapeAndForward;
        }
    }
}
