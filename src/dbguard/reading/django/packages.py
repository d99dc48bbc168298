"""Fields of packages that many Django projects use, by what they are in the database, and the tables of their models."""

from __future__ import annotations

from dbguard.reading.django.kinds import NO_COLUMN, OTHER, Known


def _char(length: int | None, **more: object) -> Known:
    return Known("CharField", {**({"max_length": length} if length else {}), **more})


_TEXT, _INTEGER, _MOMENT, _JSON, _FILE, _MANY = (
    Known("TextField"), Known("IntegerField"), Known("DateTimeField"), Known("JSONField"), Known("FileField", {"max_length": 100}),
    Known("ManyToManyField"),
)  # fmt: skip
_SLUG = Known("SlugField", {"max_length": 50, "db_index": True})
_KEY = Known("ForeignKey", {"db_index": True})
_ONE = Known("OneToOneField", {"db_index": True, "unique": True})

_BY_PACKAGE: dict[str, dict[str, Known]] = {
    "django_extensions": {
        "CreationDateTimeField": _MOMENT, "ModificationDateTimeField": _MOMENT, "AutoSlugField": _SLUG,
        "RandomCharField": _char(None), "JSONField": _TEXT, "ShortUUIDField": _char(36), "EncryptedCharField": _TEXT, "EncryptedTextField": _TEXT,
    },
    "model_utils": {
        "AutoCreatedField": _MOMENT, "AutoLastModifiedField": _MOMENT, "MonitorField": _MOMENT, "StatusField": _char(100), "SplitField": _TEXT,
        "UrlsafeTokenField": _char(128), "UUIDField": Known("UUIDField"),
    },
    "mptt": {"TreeForeignKey": _KEY, "TreeOneToOneField": _ONE, "TreeManyToManyField": _MANY},
    "phonenumber_field": {"PhoneNumberField": _char(128)},
    "timezone_field": {"TimeZoneField": _char(63)},
    "jsonfield": {"JSONField": _TEXT, "JSONCharField": _char(None)},
    "django_jsonfield_backport": {"JSONField": _JSON},
    "django_mysql": {"JSONField": _JSON},
    "taggit": {"TaggableManager": Known(NO_COLUMN), "ClusterTaggableManager": Known(NO_COLUMN)},
    "modelcluster": {
        "ParentalKey": _KEY, "ParentalManyToManyField": _MANY, "ClusterTaggableManager": Known(NO_COLUMN),
    },
    "wagtail": {"RichTextField": _TEXT, "StreamField": _JSON},
    "django_countries": {"CountryField": _char(2)},
    "djmoney": {
        "MoneyField": Known("DecimalField", {"decimal_places": 2}), "CurrencyField": _char(3),
    },
    "imagekit": {"ProcessedImageField": _FILE, "ImageSpecField": Known(NO_COLUMN)},
    "sorl": {"ImageField": _FILE},
    "easy_thumbnails": {"ThumbnailerImageField": _FILE, "ThumbnailerField": _FILE},
    "versatileimagefield": {"VersatileImageField": _FILE, "PPOIField": _char(20)},
    "stdimage": {"StdImageField": _FILE, "JPEGField": _FILE},
    "django_resized": {"ResizedImageField": _FILE},
    "private_storage": {"PrivateFileField": _FILE, "PrivateImageField": _FILE},
    "cloudinary": {"CloudinaryField": _char(255)},
    "filer": {
        "FilerFileField": _KEY, "FilerImageField": _KEY, "FilerFolderField": _KEY,
        "MultiStorageFileField": Known("FileField", {"max_length": 1024}),
    },
    "image_cropping": {"ImageRatioField": _char(255), "ImageCropField": _FILE},
    "shortuuid": {"ShortUUIDField": _char(22)},
    "shortuuidfield": {"ShortUUIDField": _char(22)},
    "django_nanoid": {"NANOIDField": _char(21)},
    "nanoid_field": {"NanoidField": _char(21)},
    "hashid_field": {
        "HashidField": _INTEGER, "BigHashidField": Known("BigIntegerField"), "HashidAutoField": Known("AutoField"),
        "BigHashidAutoField": Known("BigAutoField"),
    },
    "encrypted_model_fields": {
        **dict.fromkeys(
            ["EncryptedCharField", "EncryptedTextField", "EncryptedDateField", "EncryptedDateTimeField", "EncryptedBooleanField",
             "EncryptedEmailField", "EncryptedIntegerField", "EncryptedPositiveIntegerField", "EncryptedSmallIntegerField",
             "EncryptedBigIntegerField"],
            _TEXT,
        ),
    },
    "encrypted_fields": {
        **dict.fromkeys(
            ["EncryptedCharField", "EncryptedTextField", "EncryptedDateField", "EncryptedDateTimeField", "EncryptedBooleanField",
             "EncryptedEmailField", "EncryptedIntegerField", "EncryptedJSONField", "EncryptedFloatField"],
            _TEXT,
        ),
        "SearchField": _char(66),
    },
    "fernet_fields": dict.fromkeys(
        ["EncryptedField", "EncryptedTextField", "EncryptedCharField", "EncryptedEmailField", "EncryptedIntegerField", "EncryptedDateField",
         "EncryptedDateTimeField"],
        Known(OTHER, type="bytea"),
    ),
    "mirage": {
        "EncryptedCharField": _char(255), "EncryptedTextField": _TEXT, "EncryptedEmailField": _char(254), "EncryptedIntegerField": _char(64),
        "EncryptedURLField": _char(200),
    },
    "localflavor": {
        "USStateField": _char(2), "USPostalCodeField": _char(2), "USZipCodeField": _char(10), "USSocialSecurityNumberField": _char(11),
        "CAProvinceField": _char(2), "CAPostalCodeField": _char(7), "CASocialInsuranceNumberField": _char(11), "AUStateField": _char(3),
        "AUPostCodeField": _char(4), "IBANField": _char(34), "BICField": _char(11), "BRStateField": _char(2), "BRCPFField": _char(14),
        "BRCNPJField": _char(18), "BRPostalCodeField": _char(9), "EANField": _char(13), "PhoneNumberField": _char(20),
    },
    "annoying": {"AutoOneToOneField": _ONE, "JSONField": _TEXT},
    "colorfield": {"ColorField": _char(25)},
    "autoslug": {"AutoSlugField": _SLUG},
    "ckeditor": {"RichTextField": _TEXT},
    "ckeditor_uploader": {"RichTextUploadingField": _TEXT},
    "django_ckeditor_5": {"CKEditor5Field": _TEXT},
    "tinymce": {"HTMLField": _TEXT},
    "djangocms_text_ckeditor": {"HTMLField": _TEXT},
    "djangocms_text": {"HTMLField": _TEXT},
    "cms": {"PlaceholderField": _KEY, "PageField": _KEY},
    "markdownx": {"MarkdownxField": _TEXT},
    "mdeditor": {"MDTextField": _TEXT},
    "martor": {"MartorField": _TEXT},
    "markdownfield": {"MarkdownField": _TEXT, "RenderedMarkdownField": _TEXT},
    "django_quill": {"QuillField": _TEXT},
    "multiselectfield": {"MultiSelectField": _char(None)},
    "picklefield": {"PickledObjectField": _TEXT},
    "recurrence": {"RecurrenceField": _TEXT},
    "sortedm2m": {"SortedManyToManyField": Known("ManyToManyField", {"sorted": True})},
    "smart_selects": {"ChainedForeignKey": _KEY, "GroupedForeignKey": _KEY, "ChainedManyToManyField": _MANY},
    "django_fsm": {
        "FSMField": _char(50), "FSMIntegerField": _INTEGER, "FSMKeyField": _KEY,
    },
    "viewflow": {"FSMField": _char(50)},
    "enumfields": {"EnumField": _char(10), "EnumIntegerField": _INTEGER},
    "django_enumfield": {"EnumField": _INTEGER},
    "django_enum": {
        "EnumCharField": _char(None), "EnumSmallIntegerField": Known("SmallIntegerField"), "EnumIntegerField": _INTEGER,
        "EnumPositiveSmallIntegerField": Known("PositiveSmallIntegerField"), "EnumPositiveIntegerField": Known("PositiveIntegerField"),
        "EnumBigIntegerField": Known("BigIntegerField"), "EnumTextField": _TEXT,
    },
    "bitfield": {"BitField": Known("BigIntegerField")},
    "netfields": {
        "InetAddressField": Known(OTHER, type="inet"), "CidrAddressField": Known(OTHER, type="cidr"), "MACAddressField": Known(OTHER, type="macaddr"),
        "MACAddress8Field": Known(OTHER, type="macaddr8"),
    },
    "macaddress": {"MACAddressField": _INTEGER},
    "isbn_field": {"ISBNField": _char(28)},
    "address": {"AddressField": _KEY},
    "django_ltree": {"PathField": Known(OTHER, type="ltree")},
    "pgvector": {
        "VectorField": Known("Vector", type="vector"), "HalfVectorField": Known("Vector", type="halfvec"),
        "SparseVectorField": Known("Vector", type="sparsevec"), "BitField": Known("Vector", type="bit"),
    },
    "django_better_admin_arrayfield": {"ArrayField": Known("ArrayField")},
    "djstripe": {
        "StripeIdField": _char(255), "StripeEnumField": _char(None), "StripeDateTimeField": _MOMENT, "JSONField": _JSON,
        "StripeDecimalCurrencyAmountField": Known("DecimalField", {"max_digits": 11, "decimal_places": 2}),
        "StripeQuantumCurrencyAmountField": Known("BigIntegerField"), "StripeForeignKey": _KEY, "StripePercentField": Known("DecimalField"),
    },
    "oscar": {
        "AutoSlugField": _SLUG, "UppercaseCharField": _char(None), "NullCharField": _char(None),
        "PhoneNumberField": _char(128), "ExtendedURLField": _char(200), "PositiveDecimalField": Known("DecimalField"),
    },
    "push_notifications": {"HexIntegerField": Known("BigIntegerField")},
    "oauth2_provider": {"ClientSecretField": _char(None), "TokenChecksumField": _char(None), "ResourceJSONField": _JSON},
    "social_django": {"JSONField": _TEXT},
    "pghistory": {"PGHistoryJSONField": _JSON},
    "positions": {"PositionField": _INTEGER},
    "partial_date": {"PartialDateField": _char(10)},
    "relativedeltafield": {"RelativeDeltaField": Known(OTHER, type="interval")},
    "durationfield": {"DurationField": Known("BigIntegerField")},
    "measurement": {"MeasurementField": Known("FloatField")},
    "django_measurement": {"MeasurementField": Known("FloatField")},
    "organizations": {"SlugField": _SLUG},
    "django_pydantic_field": {"PydanticSchemaField": _JSON},
    "django_jsonform": {"JSONField": _JSON, "ArrayField": Known("ArrayField")},
    "jsoneditor": {"JSONField": _TEXT},
    "tsvector_field": {"SearchVectorField": Known(OTHER, type="tsvector")},
    "thumbnails": {"ImageField": _FILE},
    "concurrency": {"IntegerVersionField": Known("BigIntegerField"), "AutoIncVersionField": Known("BigIntegerField")},
    "location_field": {"PlainLocationField": _char(63)},
    "s3direct": {"S3DirectField": _TEXT},
    "birthday": {"BirthdayField": Known("DateField")},
    "citext": {"CIText": Known(OTHER, type="citext")},
}  # fmt: skip

FIELDS: dict[tuple[str, str], Known] = {(package, name): one for package, fields in _BY_PACKAGE.items() for name, one in fields.items()}
