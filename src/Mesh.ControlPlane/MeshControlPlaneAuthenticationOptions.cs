namespace Mesh.ControlPlane;

/// <summary>Whom the control plane believes: the configuration section <c>Mesh:ControlPlane:Authentication</c>.</summary>
public sealed class MeshControlPlaneAuthenticationOptions
{
    /// <summary>Tokens that let their holders be some service accounts.</summary>
    public IList<MeshJoinTokenOptions> JoinTokens { get; } = [];

    /// <summary>Issuers of service accounts' tokens, as Kubernetes is one.</summary>
    public IList<MeshServiceAccountIssuerOptions> ServiceAccountIssuers { get; } = [];

    /// <summary>
    /// Believe a user of this machine that his processes are the workloads they say they are: over a Unix socket by what the system tells of its other
    /// end, over loopback by the token in <see cref="LoopbackTokenFile"/>. An account that somebody holds with another credential is not given to them.
    /// </summary>
    /// <value>By default in the environment <c>Development</c> only.</value>
    public bool? AllowLoopback { get; set; }

    /// <summary>The file with the token that shows who may read it to be the same user; it is made when it is not there.</summary>
    /// <value>By default <c>mesh/loopback-token</c> in the user's folder of application data (<c>~/.local/share</c>), where clients look for it too.</value>
    public string? LoopbackTokenFile { get; set; }

    /// <summary>Refuse streams of clients that prove nothing; otherwise they are served as clients that nobody calls.</summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool RequireForClients { get; set; }

    /// <summary>Who may ask this control plane what it knows, and who may change it.</summary>
    public IList<MeshRoleBindingOptions> Roles { get; } = [];
}
