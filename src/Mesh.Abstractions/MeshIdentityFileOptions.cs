namespace Mesh;

/// <summary>Certificates in PEM files, written by somebody else: the section <c>Mesh:Identity:Files</c>.</summary>
public sealed class MeshIdentityFileOptions
{
    /// <summary>The file with the workload's certificate and those between it and its authority.</summary>
    /// <value>Unset by default.</value>
    public string? Certificate { get; set; }

    /// <summary>The file with the key of the certificate, unencrypted.</summary>
    /// <value>Unset by default.</value>
    public string? PrivateKey { get; set; }

    /// <summary>The file with the authorities to trust.</summary>
    /// <value>Unset by default.</value>
    public string? Authorities { get; set; }

    /// <summary>The time between looks at the files. Until all of them are whole and go together, the last good ones stay in use.</summary>
    /// <value>The default value is 10 seconds.</value>
    public TimeSpan RefreshInterval { get; set; } = TimeSpan.FromSeconds(10);
}
