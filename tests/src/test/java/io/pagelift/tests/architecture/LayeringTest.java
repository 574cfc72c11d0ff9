package io.pagelift.tests.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** The layering of modules and packages, as docs/decisions.md describes it. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LayeringTest {
  private static final String COMMON = "io.pagelift.common..";
  private static final String WIRE = "io.pagelift.wire..";
  private static final String TLS = "io.pagelift.tls..";
  private static final String IMAGE = "io.pagelift.image..";
  private static final String STORE = "io.pagelift.store..";
  private static final String LINUX = "io.pagelift.linux..";
  private static final String PAGE_SERVER = "io.pagelift.pageserver..";
  private static final String DUMPER = "io.pagelift.dumper..";
  private static final String RESTORER = "io.pagelift.restorer..";

  private JavaClasses classes;

  @BeforeAll
  void importAllModules() {
    classes =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.pagelift");
  }

  @Test
  void linuxUsesNothingOfOurs() {
    forbid(LINUX, COMMON, TLS, WIRE, IMAGE, STORE, PAGE_SERVER, DUMPER, RESTORER);
  }

  @Test
  void commonProtoKnowsNoKernelAndNoProgram() {
    forbid(new String[] {COMMON, TLS, WIRE, IMAGE, STORE}, LINUX, PAGE_SERVER, DUMPER, RESTORER);
  }

  @Test
  void thePageServerKnowsNoProcesses() {
    forbid(PAGE_SERVER, LINUX, DUMPER, RESTORER);
  }

  @Test
  void theDumperUsesNeitherOtherProgram() {
    forbid(DUMPER, PAGE_SERVER, RESTORER);
  }

  @Test
  void theRestorerUsesNeitherOtherProgram() {
    forbid(RESTORER, PAGE_SERVER, DUMPER);
  }

  @Test
  void onlyLinuxCallsForeignFunctions() {
    forbid(new String[] {COMMON, TLS, WIRE, IMAGE, STORE, PAGE_SERVER, DUMPER, RESTORER}, "jnr..", "com.kenai.jffi..");
  }

  @Test
  void onlyTheWireAndTheSessionsKnowNetty() {
    forbid(new String[] {COMMON, IMAGE, STORE, "io.pagelift.pageserver.store..", LINUX, DUMPER, RESTORER}, "io.netty..");
  }

  @Test
  void onlyTlsAndItsKeysKnowTheCryptographicLibrary() {
    forbid(
        new String[] {COMMON, WIRE, IMAGE, STORE, "io.pagelift.pageserver.store..", "io.pagelift.pageserver.session..", LINUX, DUMPER, RESTORER},
        "org.bouncycastle..");
  }

  @Test
  void onlyCommandClassesKnowTheCommandLineLibrary() {
    noClasses()
        .that()
        .resideOutsideOfPackages("io.pagelift.common..", "..cli..", "io.pagelift.tests..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("picocli..")
        .check(classes);
  }

  private void forbid(String from, String... to) {
    forbid(new String[] {from}, to);
  }

  private void forbid(String[] from, String... to) {
    noClasses()
        .that()
        .resideInAnyPackage(from)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(to)
        .allowEmptyShould(true)
        .check(classes);
  }
}
