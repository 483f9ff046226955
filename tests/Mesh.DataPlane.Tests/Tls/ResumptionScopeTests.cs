using System.Net.Security;
using Mesh.DataPlane.Tls;

namespace Mesh.DataPlane.Tests.Tls;

public sealed class ResumptionScopeTests : IDisposable
{
    private readonly Mesh.TestNet.TestCertificateAuthority _authority = new();
    private readonly string _name = Guid.NewGuid().ToString("N");

    public void Dispose() => _authority.Dispose();

    [Fact]
    public void Sessions_belong_to_one_certificate_one_name_and_one_set_of_trust()
    {
        var (mine, other) = (Context(), Context());
        var (trust, stricter) = (Validation(), Validation());

        ResumptionScopes.MayResume(mine, _name, trust, null).ShouldBeTrue();
        ResumptionScopes.MayResume(mine, _name, trust, null).ShouldBeTrue();
        ResumptionScopes.MayResume(mine, _name, stricter, null).ShouldBeFalse();
        ResumptionScopes.MayResume(mine, _name, trust, "another.host").ShouldBeFalse();
        ResumptionScopes.MayResume(mine, "x" + _name, stricter, null).ShouldBeTrue();
        ResumptionScopes.MayResume(other, _name, stricter, null).ShouldBeTrue("a certificate that is renewed begins anew");
        ResumptionScopes.MayResume(other, _name, trust, null).ShouldBeFalse();
        ResumptionScopes.MayResume(null, _name, stricter, null).ShouldBeTrue();
    }

    [Fact]
    public void Without_a_server_name_there_is_no_session_to_find()
    {
        ResumptionScopes.MayResume(null, "", Validation(), null).ShouldBeTrue();
        ResumptionScopes.MayResume(null, "", Validation(), null).ShouldBeTrue();
    }

    private SslStreamCertificateContext Context() => SslStreamCertificateContext.Create(_authority.Issue("a.example"), [], offline: true);

    private static CertificateValidation Validation() => new() { Trust = TrustMode.System };
}
