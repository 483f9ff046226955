namespace Mesh;

/// <summary>The kinds of keys that a workload's certificate may be for.</summary>
public enum CertificateKeyType
{
    /// <summary>An elliptic curve key on P-256.</summary>
    EcdsaP256,

    /// <summary>RSA with 2,048 bits.</summary>
    Rsa2048,

    /// <summary>RSA with 3,072 bits.</summary>
    Rsa3072,
}
