namespace Mesh;

/// <summary>What spans name as their service; the values of ProxyConfig's <c>tracingServiceName</c>.</summary>
public enum MeshTracingServiceName
{
    /// <summary>The label <c>app</c> and the namespace: <c>productpage.default</c>.</summary>
    AppLabelAndNamespace,

    /// <summary>The canonical name alone: <c>productpage</c>.</summary>
    CanonicalNameOnly,

    /// <summary>The canonical name and the namespace: <c>productpage.default</c>, whatever the label <c>app</c> is.</summary>
    CanonicalNameAndNamespace,
}
