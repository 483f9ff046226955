namespace Mesh.ControlPlane.Config.MeshWide;

/// <summary>How the settings of a mesh are written.</summary>
internal enum MeshDocumentForm
{
    /// <summary>The fields alone, in a file whose name says what they are: <c>mesh.yaml</c>.</summary>
    Bare,

    /// <summary><c>kind: MeshConfig</c>, the fields below <c>spec</c>.</summary>
    MeshConfig,

    /// <summary><c>kind: MeshNetworks</c>.</summary>
    MeshNetworks,

    /// <summary><c>kind: IstioOperator</c>, the fields below <c>spec.meshConfig</c>.</summary>
    IstioOperator,

    /// <summary>The ConfigMap <c>istio</c>, the fields in the text <c>data.mesh</c>.</summary>
    ConfigMap,
}
