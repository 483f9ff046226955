using Mesh.ControlPlane.Security;

namespace Mesh.ControlPlane.Hosting;

/// <summary>What settings of the authority and of who is believed must be like. Files are looked at when the application starts.</summary>
internal static class SecurityOptionsRules
{
    private const string Authority = MeshControlPlaneOptions.SectionName + ":CertificateAuthority";
    private const string Authentication = MeshControlPlaneOptions.SectionName + ":Authentication";

    public static void Check(MeshControlPlaneOptions options, List<string> failures)
    {
        Check(options.CertificateAuthority, failures);
        Check(options.Authentication, failures);
    }

    private static void Check(MeshControlPlaneAuthorityOptions options, List<string> failures)
    {
        Between(nameof(options.Lifetime), options.Lifetime, TimeSpan.FromMinutes(1), TimeSpan.FromDays(3650));
        Between(nameof(options.MaxLifetime), options.MaxLifetime, TimeSpan.FromMinutes(1), TimeSpan.FromDays(3650));
        Between(nameof(options.RootLifetime), options.RootLifetime, TimeSpan.FromHours(1), TimeSpan.FromDays(36500));
        Between(nameof(options.RootAnnouncement), options.RootAnnouncement, TimeSpan.Zero, TimeSpan.FromDays(365));
        Between(nameof(options.ClockSkew), options.ClockSkew, TimeSpan.Zero, TimeSpan.FromHours(1));
        if (options.MaxLifetime < options.Lifetime)
        {
            failures.Add($"{Authority}:MaxLifetime is {options.MaxLifetime}, less than Lifetime ({options.Lifetime}); make it as long.");
        }

        if (options.RootLifetime < options.MaxLifetime)
        {
            failures.Add($"{Authority}:RootLifetime is {options.RootLifetime}, less than MaxLifetime ({options.MaxLifetime}): no certificate outlives its root; make it longer.");
        }

        if (options.CaCerts is { Length: > 0 } given && !Directory.Exists(given))
        {
            failures.Add($"{Authority}:CaCerts is \"{given}\", and there is no such folder; name the one that holds ca-cert.pem, ca-key.pem and root-cert.pem.");
        }

        void Between(string option, TimeSpan value, TimeSpan least, TimeSpan most)
        {
            if (value < least || value > most)
            {
                failures.Add($"{Authority}:{option} is {value}; it must be between {least} and {most}.");
            }
        }
    }

    private static void Check(MeshControlPlaneAuthenticationOptions options, List<string> failures)
    {
        for (var i = 0; i < options.JoinTokens.Count; i++)
        {
            var token = options.JoinTokens[i];
            var path = $"{Authentication}:JoinTokens:{i}";
            if (string.IsNullOrEmpty(token.File))
            {
                failures.Add($"{path}:File is missing: it names the file that holds the token.");
            }

            if (token.Accounts.Count == 0)
            {
                failures.Add($"{path}:Accounts is empty: name the service accounts that the token stands for, namespace/account.");
            }

            CheckAccounts(path, token.Accounts);
        }

        for (var i = 0; i < options.ServiceAccountIssuers.Count; i++)
        {
            var issuer = options.ServiceAccountIssuers[i];
            var path = $"{Authentication}:ServiceAccountIssuers:{i}";
            if (string.IsNullOrEmpty(issuer.Issuer))
            {
                failures.Add($"{path}:Issuer is missing: it is the iss of the tokens.");
            }
            else if (options.ServiceAccountIssuers.Take(i).Any(other => other.Issuer == issuer.Issuer))
            {
                failures.Add($"{path}:Issuer is \"{issuer.Issuer}\", which an entry before has; put the audiences together.");
            }

            if (string.IsNullOrEmpty(issuer.JwksFile))
            {
                failures.Add($"{path}:JwksFile is missing: it names the file with the issuer's public keys.");
            }
        }

        for (var i = 0; i < options.Roles.Count; i++)
        {
            var binding = options.Roles[i];
            var path = $"{Authentication}:Roles:{i}";
            if (binding.Accounts.Count == 0 && string.IsNullOrEmpty(binding.TokenFile))
            {
                failures.Add($"{path} is for nobody: name Accounts or a TokenFile.");
            }

            CheckAccounts(path, binding.Accounts);
        }

        void CheckAccounts(string path, IEnumerable<string> accounts)
        {
            try
            {
                if (AccountSet.Parse(accounts).IsAny)
                {
                    failures.Add($"{path}:Accounts has \"*\": a credential for everything is none; name the namespaces, namespace/*.");
                }
            }
            catch (FormatException e)
            {
                failures.Add($"{path}:Accounts: {e.Message}.");
            }
        }
    }
}
