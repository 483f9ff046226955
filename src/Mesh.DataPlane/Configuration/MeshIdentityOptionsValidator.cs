using Mesh.Identity;
using Mesh.Xds.Grpc;
using Microsoft.Extensions.Options;

namespace Mesh.DataPlane.Configuration;

/// <summary>Says at start-up what is wrong with the section <c>Mesh:Identity</c>, all of it at once.</summary>
internal sealed class MeshIdentityOptionsValidator : IValidateOptions<MeshOptions>
{
    private static readonly TimeSpan ShortestLifetime = TimeSpan.FromMinutes(1);

    public ValidateOptionsResult Validate(string? name, MeshOptions options)
    {
        var failures = new List<string>();
        var identity = options.Identity;
        Check(Enum.IsDefined(identity.Source), $"Mesh:Identity:Source is {identity.Source}; use {string.Join(", ", Enum.GetNames<MeshIdentitySource>())}.");
        Check(identity.StartupTimeout >= TimeSpan.Zero, $"Mesh:Identity:StartupTimeout is {identity.StartupTimeout}; it must not be negative.");
        if (identity.Source == MeshIdentitySource.None)
        {
            return Result();
        }

        var isTrustDomain = SpiffeId.TryParse("spiffe://" + identity.TrustDomain, out var domain) && domain.Path.Length == 0;
        Check(isTrustDomain, $"Mesh:Identity:TrustDomain is '{identity.TrustDomain}'; it may have lower-case letters, digits, dots, dashes and underscores, such as cluster.local.");
        Check(
            SpiffeId.TryParse("spiffe://td/" + options.Workload.ServiceAccount, out var account) && account.Path.Count(c => c == '/') == 1,
            $"Mesh:Workload:ServiceAccount is '{options.Workload.ServiceAccount}'; it may have letters, digits, dots, dashes and underscores, such as bookinfo-reviews.");
        CheckAuthority(identity.CertificateAuthority);
        CheckWorkloadApi(identity.WorkloadApi);
        CheckFiles(identity.Files, identity.Source == MeshIdentitySource.Files);
        return Result();

        void CheckAuthority(MeshIdentityAuthorityOptions authority)
        {
            const string Section = "Mesh:Identity:CertificateAuthority";
            if (authority.Address is { Length: > 0 } address)
            {
                try
                {
                    var target = GrpcTarget.Parse(address);
                    Check(
                        target.Tls != false || string.IsNullOrEmpty(authority.RootCertificates),
                        $"{Section}:RootCertificates is set, but {Section}:Address '{address}' says clear text; write https://.");
                }
                catch (FormatException e)
                {
                    failures.Add($"{Section}:Address: {e.Message}");
                }
            }

            Check(
                authority.RootCertificates is not { Length: > 0 } roots || File.Exists(roots),
                $"{Section}:RootCertificates names '{authority.RootCertificates}', which does not exist; name a PEM file, or leave the setting out.");
            Check(Enum.IsDefined(authority.KeyType), $"{Section}:KeyType is {authority.KeyType}; use {string.Join(", ", Enum.GetNames<CertificateKeyType>())}.");
            Check(authority.Lifetime >= ShortestLifetime, $"{Section}:Lifetime is {authority.Lifetime}; it must be at least {ShortestLifetime}.");
            Check(authority.RenewAfter is >= 0.1 and <= 0.9, $"{Section}:RenewAfter is {authority.RenewAfter}; it must be between 0.1 and 0.9.");
            Check(authority.RenewJitter is >= 0 and <= 0.1, $"{Section}:RenewJitter is {authority.RenewJitter}; it must be between 0 and 0.1.");
            Check(authority.RequestTimeout > TimeSpan.Zero, $"{Section}:RequestTimeout is {authority.RequestTimeout}; it must be greater than zero.");
        }

        void CheckWorkloadApi(MeshWorkloadApiOptions api)
        {
            const string Section = "Mesh:Identity:WorkloadApi";
            Check(
                api.Socket is not { Length: > 0 } socket || socket.StartsWith("unix:", StringComparison.Ordinal) || Path.IsPathRooted(socket),
                $"{Section}:Socket is '{api.Socket}'; write a path or unix:///path.");
            Check(api.CertificateName.Length > 0, $"{Section}:CertificateName is empty; 'default' is what agents call it.");
            Check(api.AuthoritiesName.Length > 0, $"{Section}:AuthoritiesName is empty; 'ROOTCA' is what agents call it.");
        }

        void CheckFiles(MeshIdentityFileOptions files, bool areUsed)
        {
            const string Section = "Mesh:Identity:Files";
            Check(
                string.IsNullOrEmpty(files.Certificate) == string.IsNullOrEmpty(files.PrivateKey),
                $"{Section} has {(string.IsNullOrEmpty(files.Certificate) ? "a PrivateKey without a Certificate" : "a Certificate without its PrivateKey")}; name both files.");
            Check(
                !areUsed || !string.IsNullOrEmpty(files.Certificate) || !string.IsNullOrEmpty(files.Authorities),
                $"Mesh:Identity:Source is Files, and {Section} names none: set Certificate with PrivateKey, and Authorities.");
            Check(files.RefreshInterval > TimeSpan.Zero, $"{Section}:RefreshInterval is {files.RefreshInterval}; it must be greater than zero.");
        }

        ValidateOptionsResult Result() => failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Check(bool holds, string message)
        {
            if (!holds)
            {
                failures.Add(message);
            }
        }
    }
}
