namespace Mesh.ControlPlane.Security;

/// <summary>Where the authority's certificate and key come from.</summary>
internal interface IIssuerSource : IDisposable
{
    /// <summary>Who signs and who is trusted has changed; called after <see cref="Current"/> has.</summary>
    event Action? Changed;

    /// <summary>Who signs and who is trusted now.</summary>
    /// <exception cref="AuthorityException">There is none, and why.</exception>
    Issuer Current { get; }

    /// <summary>How far the change to another root has come.</summary>
    RootRotation Rotation { get; }

    /// <summary>Announces a new root, which signs when it has been announced for long enough.</summary>
    /// <exception cref="InvalidOperationException">A rotation is under way, or roots are not made here.</exception>
    void BeginRotation();

    /// <summary>Reads what is there, if anything is; what cannot be used is an error now, while the application starts.</summary>
    /// <exception cref="AuthorityException">It cannot be used.</exception>
    void Start();
}
